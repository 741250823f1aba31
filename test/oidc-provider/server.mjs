// An OpenID provider for tests: the certified npm oidc-provider behind Keycloak's paths, so that the Pexip
// adapter can be tried against a server that this project did not write.
//
// It reads one JSON object from the environment variable OIDC_PROVIDER_CONFIG (every key is optional):
//
//   account          the realm in the issuer's path, "acme"
//   clients          client metadata as oidc-provider takes it (OpenID Connect Dynamic Client Registration 1.0 §2)
//   scopes           the scopes that a client may ask for, beside openid and offline_access
//   token_format     "jwt" (as Keycloak) or "opaque" (needed for introspection, which refuses JWTs)
//   lifetime         seconds an access token is good for, 300
//   refresh_lifetime seconds a refresh token is good for, 1800
//
// It listens on a free loopback port, prints {"url", "issuer", "token_url"} as its only line on stdout and ends
// when stdin closes, so that it never outlives the test that started it.
//
//   GET  /_requests  what was asked, in order: method, path, status, grant_type, auth; never a secret
//   GET  /_count     {"total": N, "token": N}
//   POST /_faults    {"path": "token", "times": 1, "status": 503, "headers": {}, "body": "", "delay_ms": 0}
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as jose from 'jose';

// oidc-provider prints notices with console.info; stdout is for the one line.
console.info = console.error;
const { default: Provider } = await import('oidc-provider');

const settings = {
  account: 'acme',
  clients: [],
  scopes: [],
  token_format: 'jwt',
  lifetime: 300,
  refresh_lifetime: 1800,
  ...JSON.parse(process.env.OIDC_PROVIDER_CONFIG || '{}'),
};
const realm = `/realms/${settings.account}`;
const base = '/protocol/openid-connect';
const resource = 'urn:authctl-test:api';

async function signingKey() {
  const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  return { ...await jose.exportJWK(privateKey), kid: 'test-1', alg: 'ES256', use: 'sig' };
}

// resourceServer is the one API that tokens are for. oidc-provider ties scopes to such an API; Keycloak does not,
// so every request is given this one.
function resourceServer() {
  return {
    audience: 'account',
    scope: settings.scopes.join(' '),
    accessTokenTTL: settings.lifetime,
    accessTokenFormat: settings.token_format,
    jwt: settings.token_format === 'jwt' ? { sign: { alg: 'ES256' } } : undefined,
  };
}

function configuration(key) {
  return {
    clients: settings.clients,
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
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
      resourceIndicators: {
        enabled: true,
        // Userinfo takes only tokens that are for no other API.
        defaultResource: (ctx) => ((ctx.oidc.params.scope ?? '').includes('openid') ? undefined : resource),
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
    routes: {
      authorization: `${base}/auth`,
      code_verification: `${base}/device`,
      device_authorization: `${base}/auth/device`,
      end_session: `${base}/logout`,
      introspection: `${base}/token/introspect`,
      jwks: `${base}/certs`,
      revocation: `${base}/revoke`,
      token: `${base}/token`,
      userinfo: `${base}/userinfo`,
    },
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

const requests = [];
const faults = [];

// takeFault returns the next fault for a path under the realm, undefined when there is none.
function takeFault(path) {
  const i = faults.findIndex((f) => path === `${base}/${f.path}`);
  if (i < 0) return undefined;
  const fault = faults[i];
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(i, 1);
  return fault;
}

async function readAll(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function sendJSON(res, status, body) {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

async function control(req, res) {
  if (req.url === '/_requests') return sendJSON(res, 200, { requests });
  if (req.url === '/_count') {
    const token = requests.filter((r) => r.path === `${realm}${base}/token`).length;
    return sendJSON(res, 200, { total: requests.length, token });
  }
  if (req.url === '/_faults' && req.method === 'POST') {
    faults.push(JSON.parse(await readAll(req)));
    return sendJSON(res, 200, { faults: faults.length });
  }
  return sendJSON(res, 404, { error: 'no such control page' });
}

// note enters a request in the list, without anything that came in its body but the grant type.
function note(req, res, path) {
  const entry = { method: req.method, path, auth: (req.headers.authorization ?? '').split(' ')[0].toLowerCase() };
  requests.push(entry);
  res.on('finish', () => { entry.status = res.statusCode; });
  return entry;
}

function watch(provider) {
  provider.use(async (ctx, next) => {
    await next();
    const entry = ctx.req.authctlEntry;
    if (entry && ctx.oidc?.params?.grant_type) entry.grant_type = ctx.oidc.params.grant_type;
    if (entry && ctx.oidc?.params?.client_assertion) entry.auth = 'private_key_jwt';
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

function listener(forward) {
  return async (req, res) => {
    const { pathname } = new URL(req.url, 'http://127.0.0.1');
    if (pathname.startsWith('/_')) return control(req, res);
    req.authctlEntry = note(req, res, pathname);
    if (!pathname.startsWith(`${realm}/`)) return sendJSON(res, 404, { error: 'Realm does not exist' });
    const fault = takeFault(pathname.slice(realm.length));
    if (fault?.delay_ms) await sleep(fault.delay_ms);
    if (fault?.status) {
      res.writeHead(fault.status, fault.headers ?? {});
      return res.end(fault.body ?? '');
    }
    // oidc-provider finds out where it is mounted by comparing these two.
    req.originalUrl = req.url;
    req.url = req.url.slice(realm.length);
    return forward(req, res);
  };
}

async function main() {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const issuer = `${url}${realm}`;
  const provider = new Provider(issuer, configuration(await signingKey()));
  provider.on('server_error', (_ctx, err) => console.error(err));
  watch(provider);
  logout(provider);
  server.on('request', listener(provider.callback()));
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
  process.stdout.write(`${JSON.stringify({ url, issuer, token_url: `${issuer}${base}/token` })}\n`);
}

await main();
