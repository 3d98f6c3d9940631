# What docs/coming-from-twilio.md shows of Twilio's library for Python: ten tasks.
import json
import os
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse

template_sid = "HX00000000000000000000000000000001"
service_sid = "MG00000000000000000000000000000001"


# [validate]
def is_genuine(auth_token, url, form, request):
    return RequestValidator(auth_token).validate(
        url, form, request.headers["X-Twilio-Signature"])
# [validate]


# [twiml]
def answer():
    response = MessagingResponse()
    response.message("Thank you!")
    return str(response)
# [twiml]


# [client]
client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
# [client]

# [text]
message = client.messages.create(
    from_="whatsapp:+14155238886", to="whatsapp:+447700900123", body="Hello")
# [text]

# [template]
client.messages.create(
    from_="whatsapp:+14155238886", to="whatsapp:+447700900123",
    content_sid=template_sid, content_variables=json.dumps({"1": "Lee", "2": "A-1042"}))
# [template]

# [media]
client.messages.create(
    from_="whatsapp:+14155238886", to="whatsapp:+447700900123",
    media_url=["https://example.com/cat.jpg"], body="A cat")
# [media]

# [schedule]
later = client.messages.create(
    messaging_service_sid=service_sid, to="whatsapp:+447700900123", content_sid=template_sid,
    schedule_type="fixed", send_at=datetime.now(timezone.utc) + timedelta(hours=1))
client.messages(later.sid).update(status="canceled")
# [schedule]

# [fetch]
print(client.messages(message.sid).fetch().status)
# [fetch]

# [list]
for message in client.messages.stream(to="whatsapp:+447700900123"):
    print(message.sid, message.status)
# [list]

# [errors]
try:
    client.messages.create(from_="whatsapp:+14155238886", to="whatsapp:+15005550004", body="Hello")
except TwilioRestException as error:
    print(error.status, error.code, error.msg)
# [errors]
else:
    raise SystemExit("not refused")

example = SimpleNamespace(headers={"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="})
form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
        "From": "+14158675309", "To": "+18005551212"}
assert is_genuine("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form, example)
assert "<Message>Thank you!</Message>" in answer()
