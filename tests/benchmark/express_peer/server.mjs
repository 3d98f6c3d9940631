// The dealer's webhook as it is written on express: signature, limit of what is forged, duplicates
// dropped, input checked, queued, answered. One process; load.sh starts one for each core.
//
// PORT, PUBLIC_URL, REDIS_PORT, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN
import express from "express";
import { Redis } from "ioredis";
import twilio from "twilio";

const { PORT, PUBLIC_URL, REDIS_PORT, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN } = process.env;
const path = "/webhooks/twilio/whatsapp";
const redis = new Redis({ host: "127.0.0.1", port: Number(REDIS_PORT) });

// Of what is not signed, by address; as in the dealer, each process has its half of 50 a minute.
const forgedAMinute = 25;
let forged = new Map();
setInterval(() => (forged = new Map()), 60_000);

const app = express();
app.disable("x-powered-by");
app.set("etag", false);
app.use(express.urlencoded({ extended: false, limit: "256kb" }));
app.post(path, async (request, response) => {
    const address = request.ip;
    const signature = request.get("X-Twilio-Signature") ?? "";
    if (!twilio.validateRequest(TWILIO_AUTH_TOKEN, signature, PUBLIC_URL + path, request.body)) {
        const count = (forged.get(address) ?? 0) + 1;
        forged.set(address, count);
        return response.status(count > forgedAMinute ? 429 : 403).end();
    }
    const { AccountSid, MessageSid, From, Body } = request.body;
    const fits =
        AccountSid === TWILIO_ACCOUNT_SID &&
        /^(SM|MM)[0-9a-f]{32}$/.test(MessageSid) &&
        /^whatsapp:\+[1-9][0-9]{6,14}$/.test(From) &&
        typeof Body === "string" &&
        Body.length <= 4096;
    if (!fits) return response.status(400).end();
    const isNew = await redis.set(`express:dedup:${MessageSid}`, "1", "EX", 3600, "NX");
    if (isNew) await redis.lpush("express:queue", JSON.stringify(request.body));
    response.type("text/xml").send("<Response/>");
    const outcome = isNew ? "taken" : "duplicate";
    console.log(`${new Date().toISOString()} info webhook outcome=${outcome} message_sid=${MessageSid}`);
});
app.listen(Number(PORT), "127.0.0.1", (error) => {
    if (error) throw error;
    console.log("listens");
});
