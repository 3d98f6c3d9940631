#include "campaign_input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "failure.hpp"

namespace cli {

namespace {

constexpr std::size_t piece_of_input = std::size_t{64} * 1024;

}  // namespace

CampaignInput::CampaignInput(const std::string& file, twiliowa::CancelToken cancel)
    : cancel_(std::move(cancel)),
      buffer_(piece_of_input),
      shown_at_(twiliowa::system_clock()->monotonic_now()),
      line_(std::cerr, STDERR_FILENO) {
    is_ours_ = file != "-";
    descriptor_ = is_ours_ ? ::open(file.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    struct stat status {};
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0 || S_ISDIR(status.st_mode)) {
        if (is_ours_ && descriptor_ >= 0) ::close(descriptor_);
        twiliowa::Error::invalid_request("FILE", "cannot be read").raise();
    }
    if (S_ISREG(status.st_mode)) size_ = static_cast<std::uintmax_t>(status.st_size);
    std::streambuf* const source = this;
    stream_ = std::make_unique<std::istream>(source);
    // What `underflow` throws is not for the stream to keep to itself.
    stream_->exceptions(std::ios::badbit);
}

CampaignInput::~CampaignInput() {
    if (is_ours_) ::close(descriptor_);
}

CampaignInput::int_type CampaignInput::underflow() {
    if (cancel_.is_cancelled()) {
        throw Failure{
            .exit_code = ExitCode::try_later,
            .kind = "cancelled",
            .message = "interrupted at line " + std::to_string(lines_ + 1),
            .advice = "add the whole file again: who is in is known, and gets one message"};
    }
    ssize_t taken = 0;
    do {
        taken = ::read(descriptor_, buffer_.data(), buffer_.size());
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) {
        twiliowa::Error::invalid_request("FILE", "cannot be read to its end").raise();
    }
    if (taken == 0) return traits_type::eof();
    auto* const end = buffer_.data() + taken;
    setg(buffer_.data(), buffer_.data(), end);
    read_ += static_cast<std::uintmax_t>(taken);
    lines_ += static_cast<std::uintmax_t>(std::count(buffer_.data(), end, '\n'));
    show();
    return traits_type::to_int_type(buffer_.front());
}

void CampaignInput::show() {
    const auto now = twiliowa::system_clock()->monotonic_now();
    if (now - shown_at_ < std::chrono::seconds{1}) return;
    shown_at_ = now;
    auto text = std::to_string(lines_) + " lines read";
    if (size_ > 0) text += ", " + std::to_string(std::min(read_, size_) * 100 / size_) + " %";
    line_.show(text);
}

}  // namespace cli
