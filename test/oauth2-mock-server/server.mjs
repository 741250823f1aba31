// An authorization server for tests: the npm package oauth2-mock-server, which believes every client and every person.
//
// It refuses only what a test needs refused, by the hook that the package has for that: a client with the secret
// "fake-and-wrong" is an invalid client, and the scope "forbidden" an invalid scope.
import { see, serve, listen } from '../serve/serve.mjs';

const { OAuth2Issuer, OAuth2Service } = await import('oauth2-mock-server');

// refuse turns a reply into an error (RFC 6749 §5.2).
function refuse(response, status, error) {
  response.statusCode = status;
  response.body = { error };
}

// secret is what a client shows, in the header or in the form.
function secret(req) {
  const credentials = (req.headers.authorization ?? '').split(' ')[1] ?? '';
  return req.body.client_secret ?? Buffer.from(credentials, 'base64').toString('utf8').split(':')[1];
}

async function main() {
  const { server, url } = await listen();
  const issuer = new OAuth2Issuer();
  issuer.url = url;
  await issuer.keys.generate('RS256');
  const service = new OAuth2Service(issuer);
  service.on('beforeResponse', (response, req) => {
    see(req, req.body);
    if (secret(req) === 'fake-and-wrong') refuse(response, 401, 'invalid_client');
    if ((req.body.scope ?? '').split(' ').includes('forbidden')) refuse(response, 400, 'invalid_scope');
  });
  serve([server], service.requestHandler, { url, issuer: url, token_url: `${url}/token` });
}

await main();
