/// @file
/// Where the bytes of a download go.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

class MediaTarget {
public:
    MediaTarget() = default;
    MediaTarget(const MediaTarget&) = delete;
    MediaTarget& operator=(const MediaTarget&) = delete;
    virtual ~MediaTarget() = default;

    virtual std::optional<Error> take(std::string_view piece) = 0;
    /// Whether what was taken can be forgotten.
    virtual bool can_restart() const noexcept = 0;
    /// Forgets what was taken.
    virtual std::optional<Error> restart() = 0;
    /// All of it was taken.
    virtual std::optional<Error> finish() = 0;
    /// What was taken, if it was kept in memory.
    virtual std::string take_bytes() { return {}; }
};

std::shared_ptr<MediaTarget> make_sink_target(std::function<bool(std::string_view)> sink);
std::shared_ptr<MediaTarget> make_string_target();
/// Creates the temporary file beside `path`; it is removed with the target unless `finish` gave it
/// its name. The refusal names the field "path".
Result<std::shared_ptr<MediaTarget>> make_file_target(const std::string& path, bool overwrite);

}  // namespace twiliowa::detail
