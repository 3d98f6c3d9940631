/// @file
/// What an upsert does, as a machine without I/O of its own.
#pragma once

#include <optional>
#include <string>

#include <twiliowa/content/template.hpp>
#include <twiliowa/content_client.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// One upsert, from the first look to its end. Give it every template of the account by `see`, then
/// ask `decide`; carry out what it says and tell it how that went.
class UpsertPlan {
public:
    explicit UpsertPlan(ContentDefinition wanted) : wanted_(std::move(wanted)) {}

    /// Why the definition cannot be looked for, if it cannot.
    std::optional<Error> wrong_definition() const;

    struct Step {
        enum class Do { finish, look, update, create };
        Do what = Do::finish;
        std::optional<Result<ContentUpsert>> result = {};  ///< For finish.
        ContentSid sid = {};                               ///< For update.
        ContentDefinition definition = {};                 ///< For update and create.
    };

    /// A look begins.
    void look_again() { newest_.reset(); }
    void see(ContentTemplate content);
    /// After every template was seen.
    Step decide();
    /// What the upsert ends in when it cannot go on. Where a creation may have been carried out,
    /// that is what the caller must hear of.
    Error failure(const Error& error) const { return doubt_.value_or(error); }
    Step on_updated(Result<ContentTemplate> updated) const;
    Step on_created(Result<ContentTemplate> created);

private:
    static Step finish(Result<ContentUpsert> result) {
        return {Step::Do::finish, std::move(result)};
    }

    ContentDefinition wanted_;
    std::optional<ContentTemplate> newest_;
    unsigned newest_version_ = 0;
    std::optional<Error> doubt_;  ///< Why the creation may have been carried out.
};

/// Which version of `name` is called `candidate`: 1 for the name itself, N for `name_vN` with N
/// from 2 on; 0 if it is none.
unsigned version_of_name(std::string_view name, std::string_view candidate) noexcept;

}  // namespace twiliowa::detail
