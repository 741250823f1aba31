// Says of each HAR file that is named whether it is one: "ok FILE", or what is wrong with it.
const { readFileSync } = require("fs");
const validate = require("har-validator");

Promise.all(process.argv.slice(2).map(async (file) => {
  try {
    const { log } = await validate.har(JSON.parse(readFileSync(file, "utf8")));
    console.log(`ok ${file} ${log.entries.length}`);
  } catch (err) {
    console.log(`bad ${file} ${JSON.stringify(err.errors ?? String(err))}`);
  }
}));
