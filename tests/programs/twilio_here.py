"""python3 twilio_here.py <program>: runs a program that uses Twilio's library for Python, with
TWILIOWA_BASE_URL in place of Twilio's address, which the library lets nobody choose.

Debian 12's version of it (7) does not know templates yet, though the service and the program do: it is
taught their two parameters.
"""
import functools
import inspect
import os
import runpy
import sys

from twilio.http.http_client import TwilioHttpClient
from twilio.rest.api.v2010.account.message import MessageList

request, create = TwilioHttpClient.request, MessageList.create
template = {}


@functools.wraps(request)
def request_here(self, method, url, params=None, data=None, **named):
    url = url.replace("https://api.twilio.com", os.environ["TWILIOWA_BASE_URL"])
    if template:
        data = {**data, **template}
    return request(self, method, url, params=params, data=data, **named)


def create_with_template(self, *, content_sid=None, content_variables=None, **named):
    given = {"ContentSid": content_sid, "ContentVariables": content_variables}
    template.update({name: value for name, value in given.items() if value is not None})
    try:
        return create(self, **named)
    finally:
        template.clear()


TwilioHttpClient.request = request_here
if "content_sid" not in inspect.signature(create).parameters:
    MessageList.create = create_with_template
runpy.run_path(sys.argv[1], run_name="__main__")
