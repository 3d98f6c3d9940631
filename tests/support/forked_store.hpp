/// @file
/// What becomes of a store over a server in a process that was forked.
#pragma once

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>

#include <twiliowa/state/store.hpp>

namespace twiliowa::test {

/// One that was opened before fork() answers an error in the child, which opens another; the
/// parent's is none the worse for it. Each that `open` gives is over the same entries.
inline void check_forked_store(const std::function<std::shared_ptr<Store>()>& open) {
    const auto has = [](Store& store) { return store.get("forked").value().has_value(); };
    auto store = open();
    REQUIRE(
        store->compare_and_set("forked", 0, "v", std::chrono::hours{1}, Keep::pinned).has_value());
    const auto child = ::fork();
    if (child == 0) {
        const auto read = store->get("forked");
        const bool refused = !read && is_store_error(read.error());
        store.reset();
        bool works = false;
        try {
            works = has(*open());
        } catch (...) {
            works = false;
        }
        ::_exit(refused && works ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(has(*store));
}

}  // namespace twiliowa::test
