/// @file
/// What an outbox tells its observer, as texts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/observer.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

using Texts = std::vector<std::string>;

/// What an observer is told, a text for each event.
struct Heard final : twiliowa::Observer {
    void on_job(const twiliowa::JobEvent& event) noexcept override {
        std::string text{to_string(event.change)};
        text.append(" ").append(event.before).append(">").append(event.state);
        if (!event.reason.empty()) text.append(" ").append(event.reason);
        if (!event.evidence.empty()) text.append(" ").append(event.evidence);
        if (event.error_code != 0) text.append(" ").append(std::to_string(event.error_code));
        told.push_back(std::move(text));
        last_job = event.job;
        last_tag = event.tag;
        if (during) during();
    }
    void on_outbox_full(const twiliowa::OutboxFullEvent& event) noexcept override {
        told.push_back(std::string{event.of_tenant ? "tenant" : "outbox"} + " full: " +
                       std::to_string(event.waiting) + " of " + std::to_string(event.limit));
    }
    void on_suspect_jobs(const twiliowa::SuspectJobsEvent& event) noexcept override {
        told.push_back(std::to_string(event.jobs) + " suspect: " + std::string{event.problem});
    }
    void on_pause(const twiliowa::PauseEvent& event) noexcept override {
        std::string text{event.paused ? "paused " : "resumed "};
        text.append(event.of).append(" '").append(event.name).append("'");
        if (event.by_itself) text += " by itself";
        if (event.until != twiliowa::TimePoint{}) text += " until then";
        told.push_back(std::move(text));
    }
    void on_breaker(const twiliowa::BreakerEvent& event) noexcept override {
        told.push_back("breaker " + std::string{to_string(event.change)} + " " +
                       std::to_string(event.next_try.count()));
    }
    void on_outcome_told(const twiliowa::OutcomeToldEvent& event) noexcept override {
        told.push_back((event.handled ? "handled " : "not handled ") + std::string{event.outcome});
    }
    void on_campaign(const twiliowa::CampaignEvent& event) noexcept override {
        told.push_back("campaign " + std::string{event.campaign} + " " + std::string{event.before} +
                       ">" + std::string{event.phase} +
                       (event.problem.empty() ? "" : ": " + std::string{event.problem}));
    }
    void on_quota_refused(const twiliowa::QuotaRefusedEvent& event) noexcept override {
        told.push_back("refused by " + std::string{event.quota} + " in this " +
                       std::string{event.window});
    }
    Texts take() { return std::exchange(told, {}); }

    Texts told = {};
    std::string last_job = {};
    std::string last_tag = {};
    std::function<void()> during = {};
};

/// An outbox whose observer is heard.
struct Watched {
    explicit Watched(twiliowa::OutboxOptions options = {})
        : service([&] {
              options.observer = heard;
              return std::move(options);
          }()) {}
    Texts run() {
        service.outbox->run_until_idle();
        return heard->take();
    }

    std::shared_ptr<Heard> heard = std::make_shared<Heard>();
    Service service;
};

}  // namespace outbox_test
