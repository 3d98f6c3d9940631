#include "media_client/media_target.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <random>
#include <system_error>
#include <utility>

namespace twiliowa::detail {

namespace {

class SinkMediaTarget final : public MediaTarget {
public:
    explicit SinkMediaTarget(std::function<bool(std::string_view)> sink) : sink_(std::move(sink)) {}

    std::optional<Error> take(std::string_view piece) override {
        try {
            if (sink_(piece)) return std::nullopt;
        } catch (...) {
            return ended("the sink threw an exception");
        }
        return ended("the sink ended the download");
    }
    bool can_restart() const noexcept override { return false; }
    std::optional<Error> restart() override { return std::nullopt; }
    std::optional<Error> finish() override { return std::nullopt; }

private:
    static Error ended(std::string_view how) {
        return Error{{.kind = ErrorKind::cancelled,
                      .effect = Effect::none,
                      .stage = Stage::receive,
                      .summary = std::string(how)}};
    }

    std::function<bool(std::string_view)> sink_;
};

class StringMediaTarget final : public MediaTarget {
public:
    std::optional<Error> take(std::string_view piece) override {
        bytes_.append(piece);
        return std::nullopt;
    }
    bool can_restart() const noexcept override { return true; }
    std::optional<Error> restart() override {
        bytes_.clear();
        return std::nullopt;
    }
    std::optional<Error> finish() override { return std::nullopt; }
    std::string take_bytes() override { return std::move(bytes_); }

private:
    std::string bytes_;
};

/// Without the path: it is the caller's secret as much as anything.
Error media_file_error(std::string problem, int code) {
    problem += ": ";
    problem += std::generic_category().message(code);
    return Error::invalid_request("path", problem);
}

Error media_file_exists() {
    return Error::invalid_request("path", "names a file that exists",
                                  "IfFileExists::overwrite replaces it");
}

class FileMediaTarget final : public MediaTarget {
public:
    FileMediaTarget(std::string path, std::string temporary, int fd, bool overwrite)
        : path_(std::move(path)),
          temporary_(std::move(temporary)),
          fd_(fd),
          overwrite_(overwrite) {}
    FileMediaTarget(const FileMediaTarget&) = delete;
    FileMediaTarget& operator=(const FileMediaTarget&) = delete;
    ~FileMediaTarget() override {
        if (fd_ >= 0) close(fd_);
        if (!temporary_.empty()) unlink(temporary_.c_str());
    }

    std::optional<Error> take(std::string_view piece) override {
        while (!piece.empty()) {
            const auto written = write(fd_, piece.data(), piece.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return media_file_error("cannot be written", errno);
            piece.remove_prefix(static_cast<std::size_t>(written));
        }
        return std::nullopt;
    }
    bool can_restart() const noexcept override { return true; }
    std::optional<Error> restart() override {
        if (ftruncate(fd_, 0) != 0 || lseek(fd_, 0, SEEK_SET) != 0) {
            return media_file_error("cannot be written", errno);
        }
        return std::nullopt;
    }
    std::optional<Error> finish() override {
        const bool synced = fsync(fd_) == 0;
        int code = errno;
        const bool closed = close(std::exchange(fd_, -1)) == 0;
        if (synced && !closed) code = errno;
        if (!synced || !closed) return media_file_error("cannot be written", code);
        return give_name();
    }

private:
    std::optional<Error> give_name() {
        if (!overwrite_) {
            // A link, unlike a rename, never replaces what is there.
            if (link(temporary_.c_str(), path_.c_str()) == 0) {
                unlink(temporary_.c_str());
                temporary_.clear();
                return std::nullopt;
            }
            if (errno == EEXIST) return media_file_exists();
            // A file system without links: look, then rename.
            if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) {
                return media_file_error("cannot be given to the file", errno);
            }
            if (access(path_.c_str(), F_OK) == 0) return media_file_exists();
        }
        if (rename(temporary_.c_str(), path_.c_str()) != 0) {
            return media_file_error("cannot be given to the file", errno);
        }
        temporary_.clear();
        return std::nullopt;
    }

    std::string path_;
    std::string temporary_;  ///< Empty once it has the name it was made for.
    int fd_;
    bool overwrite_;
};

}  // namespace

std::shared_ptr<MediaTarget> make_sink_target(std::function<bool(std::string_view)> sink) {
    return std::make_shared<SinkMediaTarget>(std::move(sink));
}

std::shared_ptr<MediaTarget> make_string_target() {
    return std::make_shared<StringMediaTarget>();
}

Result<std::shared_ptr<MediaTarget>> make_file_target(const std::string& path, bool overwrite) {
    if (path.empty() || path.back() == '/' || path.find('\0') != std::string::npos) {
        return Error::invalid_request("path", "is not the name of a file");
    }
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return media_file_error("cannot be written", EISDIR);
        if (!overwrite) return media_file_exists();
    }
    std::random_device random;
    for (int tries = 0; tries < 100; ++tries) {
        auto temporary = path + ".part-" + std::to_string(random());
        const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            return std::shared_ptr<MediaTarget>(
                std::make_shared<FileMediaTarget>(path, std::move(temporary), fd, overwrite));
        }
        if (errno != EEXIST) return media_file_error("cannot be written", errno);
    }
    return media_file_error("cannot be written", EEXIST);
}

}  // namespace twiliowa::detail
