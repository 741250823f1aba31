// An authorization server for tests: the npm package oauth2-mock-server, which believes every client and every person.
//
// It refuses only what a test needs refused, by the hook that the package has for that: a client id that ends in
// "-refused" is an invalid client, and the scope "forbidden" an invalid scope.
import { see, serve, listen } from '../serve/serve.mjs';

const { OAuth2Issuer, OAuth2Service } = await import('oauth2-mock-server');

// refuse turns a reply into an error (RFC 6749 §5.2).
function refuse(response, status, error) {
  response.statusCode = status;
  response.body = { error };
}

async function main() {
  const { server, url } = await listen();
  const issuer = new OAuth2Issuer();
  issuer.url = url;
  await issuer.keys.generate('RS256');
  const service = new OAuth2Service(issuer);
  service.on('beforeResponse', (response, req) => {
    see(req, req.body);
    if (req.authctlEntry.client.endsWith('-refused')) refuse(response, 401, 'invalid_client');
    if ((req.body.scope ?? '').split(' ').includes('forbidden')) refuse(response, 400, 'invalid_scope');
  });
  serve([server], service.requestHandler, { url, issuer: url, token_url: `${url}/token` });
}

await main();
