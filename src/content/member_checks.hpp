/// @file
/// Members of the kinds that `visit_members` tells, and unknown ones that can be written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>

#include "content/finding_list.hpp"
#include "content/json.hpp"
#include "content/members.hpp"

namespace twiliowa::detail {

/// Finds members of another kind than `visit_members` tells.
class KindVisitor {
public:
    KindVisitor(const ContentJson& json, std::string_view path, FindingList& findings)
        : json_(json), path_(path), findings_(findings) {}

    void operator()(const char* name, const TextField&) { expect_text(name); }
    void operator()(const char* name, const ContentActionType&) { expect_text(name); }
    void operator()(const char* name, NumberText) {
        expect(name, "a number or text",
               [](const ContentJson& value) { return value.is_string() || value.is_number(); });
    }
    void operator()(const char* name, const std::optional<bool>&) {
        expect(name, "true or false", [](const ContentJson& value) { return value.is_boolean(); });
    }
    void operator()(const char* name, const std::optional<int>&) {
        expect(name, "a number", [](const ContentJson& value) { return value.is_number(); });
    }
    void operator()(const char* name, const TextList&) {
        expect_items(name, "text", [](const ContentJson& value) { return value.is_string(); });
    }
    template <class Part>
    void operator()(const char* name, const std::vector<Part>&) {
        expect_items(name, "an object", [](const ContentJson& value) { return value.is_object(); });
        const auto* list = find_member(json_, name);
        if (list == nullptr || !list->is_array()) return;
        const auto path = path_of_member(path_, name, 0);
        for (std::size_t i = 0; i < list->size(); ++i) {
            Part part;
            visit_members(part, KindVisitor{(*list)[i], path_of_item(path, i), findings_});
        }
    }

private:
    void report(std::string_view path, const ContentJson& value, std::string_view wanted) {
        findings_.refuse(
            path, "is " + std::string(kind_of_json(value)) + ", not " + std::string(wanted),
            value.is_number() && wanted == "text" ? "write it in quotation marks" : "");
    }
    template <class IsRight>
    void expect(const char* name, std::string_view wanted, IsRight is_right) {
        const auto* value = find_member(json_, name);
        if (is_absent(value) || is_right(*value)) return;
        report(path_of_member(path_, name, 0), *value, wanted);
    }
    void expect_text(const char* name) {
        expect(name, "text", [](const ContentJson& value) { return value.is_string(); });
    }
    template <class IsRight>
    void expect_items(const char* name, std::string_view wanted, IsRight is_right) {
        expect(name, "a list", [](const ContentJson& value) { return value.is_array(); });
        const auto* list = find_member(json_, name);
        if (list == nullptr || !list->is_array()) return;
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (is_right((*list)[i])) continue;
            report(path_of_item(path_of_member(path_, name, 0), i), (*list)[i], wanted);
        }
    }

    const ContentJson& json_;
    std::string path_;
    FindingList& findings_;
};

/// Finds unknown members that are no JSON object, and would not be written.
inline void check_extra(const UnknownMembers& extra, std::string_view path, FindingList& findings) {
    if (extra.empty() || parse_content_object(extra, "extra")) return;
    findings.refuse(path, "has unknown members that are not a JSON object",
                    "set extra to one JSON object, or leave it empty");
}

/// The same of each part of a type.
class ExtraVisitor {
public:
    ExtraVisitor(std::string_view path, FindingList& findings) : path_(path), findings_(findings) {}

    template <class Value>
    void operator()(const char*, const Value&) {}
    template <class Part>
    void operator()(const char* name, std::vector<Part>& parts) {
        const auto path = path_of_member(path_, name, 0);
        for (std::size_t i = 0; i < parts.size(); ++i) check(parts[i], path_of_item(path, i));
    }
    void operator()(const char*, const TextList&) {}

    template <class Part>
    void check(Part& part, std::string_view path) {
        check_extra(part.extra, path, findings_);
        visit_members(part, ExtraVisitor{path, findings_});
    }

private:
    std::string path_;
    FindingList& findings_;
};

/// `json` is what `part` is written as.
template <class Part>
void check_members(Part part, const ContentJson& json, std::string_view path,
                   FindingList& findings) {
    ExtraVisitor{path, findings}.check(part, path);
    Part empty;
    visit_members(empty, KindVisitor{json, path, findings});
}

}  // namespace twiliowa::detail
