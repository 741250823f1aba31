// A page of another site that tries to use an address: opens the page at argv[2] in a real Chromium and has it ask for argv[3]
// in the ways that a page has, then opens argv[3] itself. It prints one line of JSON: what came of each way.
//
// It reads one JSON object from the environment variable BROWSER_PERSON: executable, and profile, an empty directory for the browser.
import { chromium } from 'playwright-core';

const person = JSON.parse(process.env.BROWSER_PERSON);
const [page, address] = process.argv.slice(2);

// Runs in the page.
async function tries(address) {
  const outcome = async (what) => {
    try {
      return await what();
    } catch (err) {
      return `refused: ${err.name}`;
    }
  };
  const loaded = (name, attributes) => () => new Promise((resolve) => {
    const element = Object.assign(document.createElement(name), attributes);
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve('refused: error');
    document.body.append(element);
  });
  return {
    read: await outcome(async () => (await fetch(`${address}/who`)).text()),
    post: await outcome(async () => (await fetch(`${address}/orders`, { method: 'POST', body: 'x', mode: 'no-cors' })).type),
    preflight: await outcome(async () => (await fetch(`${address}/who`, { method: 'PUT', headers: { 'X-Own': 'a' } })).text()),
    script: await outcome(loaded('script', { src: `${address}/who` })),
    image: await outcome(loaded('img', { src: `${address}/who` })),
    socket: await outcome(() => new Promise((resolve) => {
      const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/socket`);
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused: error');
    })),
  };
}

const context = await chromium.launchPersistentContext(person.profile, {
  executablePath: person.executable,
  headless: true,
  chromiumSandbox: false,
  args: [
    '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});
const answer = {};
try {
  const tab = await context.newPage();
  await tab.goto(page);
  Object.assign(answer, await tab.evaluate(tries, address));
  // A page of the upstream's own, through the proxy, may ask on.
  await (await context.newPage()).goto(`${address}/page`);
  const own = context.pages().at(-1);
  answer.title = await own.title();
  answer.own = await own.evaluate(async (at) => (await fetch(`${at}/who`)).json(), address);
} catch (err) {
  answer.problem = String(err).split('\n')[0];
} finally {
  await context.close();
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
