/// @file
/// Files of recipients that are made as they are read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdio>
#include <streambuf>
#include <string>

namespace twiliowa::test {

/// CSV with the columns `to` and `tag`: so many customers, each with a number of its own.
class RecipientStream final : public std::streambuf {
public:
    explicit RecipientStream(int count) : count_(count) {}

protected:
    int_type underflow() override {
        if (next_ == count_) return traits_type::eof();
        if (next_ < 0) {
            line_ = "to,tag\n";
        } else {
            std::array<char, 64> text{};
            std::snprintf(text.data(), text.size(), "+4477%08d,customer %d\n", next_, next_);
            line_ = text.data();
        }
        ++next_;
        setg(line_.data(), line_.data(), line_.data() + line_.size());
        return traits_type::to_int_type(*gptr());
    }

private:
    int count_;
    int next_ = -1;
    std::string line_;
};

}  // namespace twiliowa::test
