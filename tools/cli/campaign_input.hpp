/// @file
/// A file of recipients, which is read once, from its beginning to its end.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>

#include "live_line.hpp"

namespace cli {

/// Tells on a terminal how far it is, and ends where it is interrupted. What it throws goes through
/// whoever reads the stream, so that nothing is made of half a line.
class CampaignInput : private std::streambuf {
public:
    /// @param file  `-` is standard input
    /// @throws InvalidRequestError (field "FILE") if it cannot be read.
    CampaignInput(const std::string& file, twiliowa::CancelToken cancel);
    ~CampaignInput() override;
    CampaignInput(const CampaignInput&) = delete;
    CampaignInput& operator=(const CampaignInput&) = delete;

    /// @throws InvalidRequestError in the middle if it cannot be read to its end, and Failure if it
    /// is interrupted.
    std::istream& stream() noexcept { return *stream_; }
    /// Takes the line away that tells how far it is.
    void end() { line_.clear(); }

private:
    int_type underflow() override;
    void show();

    const twiliowa::CancelToken cancel_;
    int descriptor_ = -1;
    bool is_ours_ = false;
    std::uintmax_t size_ = 0;  ///< 0: not known.
    std::uintmax_t read_ = 0;
    std::uintmax_t lines_ = 0;
    std::vector<char> buffer_;
    twiliowa::MonotonicTime shown_at_;
    LiveLine line_;
    std::unique_ptr<std::istream> stream_;
};

}  // namespace cli
