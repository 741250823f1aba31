// The person and the browser of a login: opens the address given as the only argument in a real Chromium, fills in
// the sandbox's sign-in page and waits for the page that the login ends on.
//
// It reads one JSON object from the environment variable BROWSER_PERSON: executable, profile (an empty directory for
// the browser), screenshots (a directory, optional), tenant, username, password. It prints one line of JSON: fields
// (the names of what the sign-in page asks for), title, heading and text of the last page, and address without query.
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const person = JSON.parse(process.env.BROWSER_PERSON);
const patience = 60_000;

async function shoot(page, name) {
  if (person.screenshots) await page.screenshot({ path: join(person.screenshots, `${name}.png`) });
}

async function logIn(page) {
  await page.goto(process.argv[2], { timeout: patience });
  const fields = await page.locator('input:visible').evaluateAll((all) => all.map((input) => input.name));
  await shoot(page, 'sign-in');
  for (const name of fields) await page.locator(`input[name=${name}]`).fill(person[name]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/callback?*', { timeout: patience });
  await shoot(page, 'landing');
  const { origin, pathname } = new URL(page.url());
  return {
    fields,
    title: await page.title(),
    heading: await page.locator('h1').innerText(),
    text: await page.locator('body').innerText(),
    address: origin + pathname,
  };
}

const context = await chromium.launchPersistentContext(person.profile, {
  executablePath: person.executable,
  headless: true,
  chromiumSandbox: false,
  viewport: { width: 900, height: 640 },
  args: [
    '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});
// The answer comes last: whoever reads it may then remove the browser's directory.
let answer;
try {
  answer = await logIn(await context.newPage());
} catch (err) {
  answer = { title: String(err).split('\n')[0] };
} finally {
  await context.close();
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
