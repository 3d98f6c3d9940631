/// @file
/// All of the core in one include.
#pragma once

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/http/retry_policy.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/http_headers.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>
#include <twiliowa/types/sid.hpp>
#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/version.hpp>
#include <twiliowa/webhook/webhook_request.hpp>
