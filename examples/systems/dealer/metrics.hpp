// What Prometheus reads: the library's own metrics, and some of them by the names that the alerts
// go by.
#pragma once

#include <twiliowa/metrics_observer.hpp>

namespace dealer {

/// `webhook_requests_total{source="twilio"}`, `twilio_messages_sent_total` and the others.
twiliowa::MetricsOptions metric_names();

}  // namespace dealer
