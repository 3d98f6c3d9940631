# What docs/emulator.md shows of Twilio's library for Python. tests/programs/docs_python.sh runs it.
# [python]
import os
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client


class Emulator(TwilioHttpClient):
    def request(self, method, url, *args, **named):
        path = url.split("/", 3)[3]
        return super().request(method, f"{os.environ['TWILIOWA_BASE_URL']}/{path}", *args, **named)


client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"],
                http_client=Emulator())
# [python]
message = client.messages.create(
    from_="whatsapp:+14155238886", to="whatsapp:+447700900123", body="Hello")
assert client.messages(message.sid).fetch().sid == message.sid
