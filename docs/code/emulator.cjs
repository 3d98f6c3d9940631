// What docs/emulator.md shows of Twilio's library for Node.
const assert = require("node:assert/strict");
// [node]
const client = require("twilio")(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
client.api.baseUrl = process.env.TWILIOWA_BASE_URL;
client.content.baseUrl = process.env.TWILIOWA_BASE_URL;
// [node]

(async () => {
  const { sid } = await client.messages.create({
    from: "whatsapp:+14155238886", to: "whatsapp:+447700900123", body: "Hello" });
  assert.equal((await client.messages(sid).fetch()).sid, sid);
  assert.ok((await client.content.v1.contents.list()).length > 0);
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
