// What docs/coming-from-twilio.md shows of Twilio's library for Node: ten tasks.
const assert = require("node:assert/strict");
// [client]
const client = require("twilio")(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
// [client]
client.api.baseUrl = process.env.TWILIOWA_BASE_URL;

const twilio = require("twilio");
const templateSid = "HX00000000000000000000000000000001";
const serviceSid = "MG00000000000000000000000000000001";

// [validate]
function isGenuine(authToken, url, request) {
  return twilio.validateRequest(
    authToken, request.headers["x-twilio-signature"], url, request.body);
}
// [validate]

// [twiml]
function answer() {
  const response = new twilio.twiml.MessagingResponse();
  response.message("Thank you!");
  return response.toString();
}
// [twiml]

(async () => {
  // [text]
  const message = await client.messages.create({
    from: "whatsapp:+14155238886", to: "whatsapp:+447700900123", body: "Hello" });
  // [text]

  // [template]
  await client.messages.create({
    from: "whatsapp:+14155238886", to: "whatsapp:+447700900123",
    contentSid: templateSid, contentVariables: JSON.stringify({ 1: "Lee", 2: "A-1042" }) });
  // [template]

  // [media]
  await client.messages.create({
    from: "whatsapp:+14155238886", to: "whatsapp:+447700900123",
    mediaUrl: ["https://example.com/cat.jpg"], body: "A cat" });
  // [media]

  // [schedule]
  const later = await client.messages.create({
    messagingServiceSid: serviceSid, to: "whatsapp:+447700900123", contentSid: templateSid,
    scheduleType: "fixed", sendAt: new Date(Date.now() + 3600e3) });
  await client.messages(later.sid).update({ status: "canceled" });
  // [schedule]

  // [fetch]
  console.log((await client.messages(message.sid).fetch()).status);
  // [fetch]

  // [list]
  await new Promise((done) => client.messages.each({
    to: "whatsapp:+447700900123",
    callback: (message) => console.log(message.sid, message.status),
    done }));
  // [list]

  // [errors]
  try {
    await client.messages.create({
      from: "whatsapp:+14155238886", to: "whatsapp:+15005550004", body: "Hello" });
  } catch (error) {
    console.log(error.status, error.code, error.message);
  }
  // [errors]

  const request = {
    headers: { "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=" },
    body: { CallSid: "CA1234567890ABCDE", Caller: "+14158675309", Digits: "1234",
            From: "+14158675309", To: "+18005551212" } };
  assert.ok(isGenuine("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", request));
  assert.match(answer(), /<Message>Thank you!<\/Message>/);
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
