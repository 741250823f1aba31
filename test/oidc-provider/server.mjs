// An OpenID provider for tests: the certified npm oidc-provider, a server that this project did not write. It is laid out
// behind Keycloak's paths, for what speaks to a Keycloak, or as the package comes, for what reads its own description.
//
// It reads one JSON object from the environment variable SERVER_CONFIG (every key is optional):
//
//   layout           "keycloak", or "plain": at the root, with the package's own paths and resource indicators
//   account          the realm in the issuer's path, "acme"
//   clients          client metadata as oidc-provider takes it (OpenID Connect Dynamic Client Registration 1.0 §2)
//   scopes           the scopes that a client may ask for, beside openid and offline_access
//   token_format     "jwt" (as Keycloak) or "opaque" (needed for introspection, which refuses JWTs)
//   lifetime         seconds an access token is good for, 300
//   refresh_lifetime seconds a refresh token is good for, 1800
//   tls              {"cert", "key", "ca"}, PEM: a second port that asks for certificates of clients (RFC 8705)
//
// ../serve/serve.mjs says what it prints, and how it is asked what it has seen.
import { randomBytes, X509Certificate } from 'node:crypto';
import * as jose from 'jose';
import { listen, readAll, see, serve, sendJSON, settings as read } from '../serve/serve.mjs';

const { default: Provider } = await import('oidc-provider');

const settings = read({
  layout: 'keycloak',
  account: 'acme',
  clients: [],
  scopes: [],
  token_format: 'jwt',
  lifetime: 300,
  refresh_lifetime: 1800,
});
const keycloak = settings.layout === 'keycloak';
const realm = keycloak ? `/realms/${settings.account}` : '';
const base = keycloak ? '/protocol/openid-connect' : '';
const resource = 'urn:authctl-test:api';

async function signingKey() {
  const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  return { ...await jose.exportJWK(privateKey), kid: 'test-1', alg: 'ES256', use: 'sig' };
}

// resourceServer is the API that tokens are for: the one that is asked for (RFC 8707), or Keycloak's only one.
// oidc-provider ties scopes to such an API; Keycloak does not, so every request is given this one.
function resourceServer(_ctx, indicator) {
  return {
    audience: keycloak ? 'account' : indicator,
    scope: settings.scopes.join(' '),
    accessTokenTTL: settings.lifetime,
    accessTokenFormat: settings.token_format,
    jwt: settings.token_format === 'jwt' ? { sign: { alg: 'ES256' } } : undefined,
  };
}

// certificates is how a client's certificate is seen (RFC 8705): the connection has been asked for it.
function certificates() {
  return {
    enabled: true,
    tlsClientAuth: true,
    selfSignedTlsClientAuth: true,
    getCertificate: (ctx) => {
      const raw = ctx.socket.getPeerCertificate?.()?.raw;
      return raw && new X509Certificate(raw);
    },
    certificateAuthorized: (ctx) => ctx.socket.authorized,
    certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_san_dns'
      && ctx.socket.getPeerCertificate().subjectaltname === `DNS:${expected}`,
  };
}

// routes are Keycloak's.
const routes = {
  authorization: `${base}/auth`,
  code_verification: `${base}/device`,
  device_authorization: `${base}/auth/device`,
  end_session: `${base}/logout`,
  introspection: `${base}/token/introspect`,
  jwks: `${base}/certs`,
  revocation: `${base}/revoke`,
  token: `${base}/token`,
  userinfo: `${base}/userinfo`,
};

// authMethods are the ways for clients to show who they are.
const authMethods = [
  'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none',
  ...settings.tls ? ['tls_client_auth', 'self_signed_tls_client_auth'] : [],
];

function configuration(key, aliases) {
  return {
    clients: settings.clients,
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
    },
    clientAuthMethods: authMethods,
    discovery: aliases && { mtls_endpoint_aliases: aliases },
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA', 'HS256'],
      idTokenSigningAlgValues: ['ES256'],
    },
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: ['openid', 'offline_access', ...settings.scopes],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: id, preferred_username: id, email: `${id}@example.com` }),
    }),
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      mTLS: settings.tls ? certificates() : undefined,
      resourceIndicators: {
        enabled: true,
        // Userinfo takes only tokens that are for no other API.
        defaultResource: (ctx) => (keycloak && !(ctx.oidc.params.scope ?? '').includes('openid') ? resource : undefined),
        getResourceServerInfo: resourceServer,
        useGrantedResource: () => true,
      },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: true },
      userinfo: { enabled: true },
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: (_ctx, client) => client.responseTypes?.includes('code') ?? false },
    rotateRefreshToken: true,
    routes: keycloak ? routes : undefined,
    ttl: {
      AccessToken: settings.lifetime,
      AuthorizationCode: 60,
      ClientCredentials: settings.lifetime,
      DeviceCode: 600,
      Grant: settings.refresh_lifetime,
      IdToken: settings.lifetime,
      Interaction: 600,
      RefreshToken: settings.refresh_lifetime,
      Session: settings.refresh_lifetime,
    },
  };
}

// watch notes who asks for what, once oidc-provider knows.
function watch(provider) {
  provider.use(async (ctx, next) => {
    await next();
    see(ctx.req, ctx.oidc?.params, ctx.oidc?.client?.clientId);
  });
}

// logout is the second form of Keycloak's logout endpoint, for clients without a browser: a POST with a refresh token
// and the client's credentials ends what the token belongs to, and answers 204. oidc-provider has the same under
// another name, the revocation of a refresh token, which ends its grant; so it is sent there, and only the answers
// differ: a revocation is silent about a token that is not the client's. What has no refresh token goes on to
// oidc-provider's own page (OpenID Connect RP-Initiated Logout 1.0).
function logout(provider) {
  provider.use(async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== `${base}/logout`) return next();
    const form = Object.fromEntries(new URLSearchParams(await readAll(ctx.req)));
    ctx.req.body = form;
    if (!form.refresh_token) return next();
    const token = await provider.RefreshToken.find(form.refresh_token);
    ctx.req.body = { ...form, token: form.refresh_token, token_type_hint: 'refresh_token' };
    ctx.path = `${base}/revoke`;
    await next();
    if (ctx.status !== 200) return undefined;
    if (token?.isValid && token.clientId === ctx.oidc.client.clientId) {
      ctx.status = 204;
    } else {
      ctx.status = 400;
      ctx.body = { error: 'invalid_grant', error_description: 'Invalid refresh token' };
    }
    return undefined;
  });
}

// mounted hands on what is below the realm, as oidc-provider wants it.
function mounted(forward) {
  return (req, res) => {
    if (!req.url.startsWith(`${realm}/`)) return sendJSON(res, 404, { error: 'Realm does not exist' });
    // oidc-provider finds out where it is mounted by comparing these two.
    req.originalUrl = req.url;
    req.url = req.url.slice(realm.length);
    return forward(req, res);
  };
}

async function main() {
  const plain = await listen();
  const secure = settings.tls && await listen(settings.tls);
  const issuer = `${plain.url}${realm}`;
  // Each endpoint that a client authenticates at (RFC 8705 §5), in the package's own layout.
  const aliases = secure && {
    token_endpoint: `${secure.url}/token`,
    revocation_endpoint: `${secure.url}/token/revocation`,
    introspection_endpoint: `${secure.url}/token/introspection`,
    device_authorization_endpoint: `${secure.url}/device/auth`,
  };
  const provider = new Provider(issuer, configuration(await signingKey(), aliases));
  provider.on('server_error', (_ctx, err) => console.error(err));
  watch(provider);
  if (keycloak) logout(provider);
  const servers = [plain, secure].flatMap((s) => (s ? [s.server] : []));
  serve(servers, mounted(provider.callback()), { url: plain.url, issuer, token_url: `${issuer}${base}/token` });
}

await main();
