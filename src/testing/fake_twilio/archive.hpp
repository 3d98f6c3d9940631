/// @file
/// Values to JSON and back, from one description of each type.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing::fake {

using ArchiveJson = nlohmann::json;

template <class T>
ArchiveJson write_archive(const T& value);
template <class T>
void read_archive(const ArchiveJson& json, T& value);

/// Called with each member's name and the member; `describe` of a type calls it.
struct ArchiveWriter {
    ArchiveJson& json;
    template <class T>
    void operator()(const char* name, T& value) const {
        json[name] = write_archive(value);
    }
    /// A member that is left out when it is empty.
    template <class T>
    void if_any(const char* name, T& value) const {
        if (!value.empty()) json[name] = write_archive(value);
    }
    /// A member that is left out when it is what it is by default.
    template <class T>
    void or_zero(const char* name, T& value) const {
        if (value != T{}) json[name] = write_archive(value);
    }
};
struct ArchiveReader {
    const ArchiveJson& json;
    template <class T>
    void operator()(const char* name, T& value) const {
        read_archive(json.at(name), value);
    }
    template <class T>
    void if_any(const char* name, T& value) const {
        value = {};
        if (const auto found = json.find(name); found != json.end()) read_archive(*found, value);
    }
    template <class T>
    void or_zero(const char* name, T& value) const {
        if_any(name, value);
    }
};

template <class T>
struct IsArchivePair : std::false_type {};
template <class A, class B>
struct IsArchivePair<std::pair<A, B>> : std::true_type {};
template <class T>
struct IsArchiveOptional : std::false_type {};
template <class T>
struct IsArchiveOptional<std::optional<T>> : std::true_type {};

template <class T>
concept ArchiveMap = requires {
    typename T::key_type;
    typename T::mapped_type;
};
template <class T>
concept ArchiveSequence = requires {
    typename T::value_type;
    typename T::iterator;
};
/// SIDs and open enumerations.
template <class T>
concept ArchiveWord = requires(const T& value) {
    { value.str() } -> std::convertible_to<std::string>;
};

template <class T>
ArchiveJson write_archive(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
        return value;
    } else if constexpr (std::is_enum_v<T>) {
        return static_cast<int>(value);
    } else if constexpr (std::is_same_v<T, TimePoint>) {
        return value.time_since_epoch().count();
    } else if constexpr (std::is_same_v<T, std::chrono::milliseconds> ||
                         std::is_same_v<T, std::chrono::seconds>) {
        return value.count();
    } else if constexpr (ArchiveWord<T>) {
        return value.str();
    } else if constexpr (IsArchiveOptional<T>::value) {
        return value ? write_archive(*value) : ArchiveJson(nullptr);
    } else if constexpr (IsArchivePair<T>::value) {
        return ArchiveJson::array({write_archive(value.first), write_archive(value.second)});
    } else if constexpr (ArchiveMap<T> || ArchiveSequence<T>) {
        auto json = ArchiveJson::array();
        for (const auto& item : value) json.push_back(write_archive(item));
        return json;
    } else {
        auto json = ArchiveJson::object();
        describe(ArchiveWriter{json}, const_cast<T&>(value));
        return json;
    }
}

template <class T>
void read_archive(const ArchiveJson& json, T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
        json.get_to(value);
    } else if constexpr (std::is_enum_v<T>) {
        value = static_cast<T>(json.get<int>());
    } else if constexpr (std::is_same_v<T, TimePoint>) {
        value = TimePoint{TimePoint::duration{json.get<TimePoint::rep>()}};
    } else if constexpr (std::is_same_v<T, std::chrono::milliseconds> ||
                         std::is_same_v<T, std::chrono::seconds>) {
        value = T{json.get<typename T::rep>()};
    } else if constexpr (ArchiveWord<T>) {
        if constexpr (requires { T::from_wire(std::string{}); }) {
            value = T::from_wire(json.get<std::string>());
        } else {
            value = T{json.get<std::string>()};
        }
    } else if constexpr (IsArchiveOptional<T>::value) {
        value.reset();
        if (!json.is_null()) read_archive(json, value.emplace());
    } else if constexpr (IsArchivePair<T>::value) {
        read_archive(json.at(0), value.first);
        read_archive(json.at(1), value.second);
    } else if constexpr (ArchiveMap<T>) {
        value.clear();
        for (const auto& item : json.get_ref<const ArchiveJson::array_t&>()) {
            std::pair<typename T::key_type, typename T::mapped_type> entry;
            read_archive(item, entry);
            value.insert(std::move(entry));
        }
    } else if constexpr (ArchiveSequence<T>) {
        value.clear();
        for (const auto& item : json.get_ref<const ArchiveJson::array_t&>()) {
            typename T::value_type entry{};
            read_archive(item, entry);
            value.insert(value.end(), std::move(entry));
        }
    } else {
        describe(ArchiveReader{json}, value);
    }
}

}  // namespace twiliowa::testing::fake
