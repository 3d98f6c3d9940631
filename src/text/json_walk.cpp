#include "text/json_walk.hpp"

#include <vector>

#include "text/json_scanner.hpp"

namespace twiliowa::detail {

namespace {

class JsonWalker final : public JsonEvents {
public:
    JsonWalker(const JsonVisitor& visitor, std::size_t deepest)
        : visitor_(visitor), deepest_(deepest) {}

    void start_object() override {
        if (depth_ == 0) root_is_object_ = true;
        if (depth_ < deepest_ && visitor_.on_object) visitor_.on_object(path_);
        enter({});
    }
    void end_object() override { leave(); }
    void start_array() override { enter("[]"); }
    void end_array() override { leave(); }
    void key(std::string_view name) override {
        if (depth_ > deepest_) return;
        path_.resize(containers_.back());
        if (!path_.empty()) path_ += '.';
        path_ += name;
    }
    void string(std::string_view text) override { tell({.text = text}); }
    void integer(std::int64_t number) override { tell({.number = number}); }
    void other() override { tell({}); }

    bool root_is_object() const noexcept { return root_is_object_; }

private:
    void enter(std::string_view suffix) {
        if (++depth_ > deepest_) return;
        path_ += suffix;
        containers_.push_back(path_.size());
    }
    /// The next name, or the end of the container around, cuts the path.
    void leave() {
        if (depth_-- > deepest_) return;
        containers_.pop_back();
        path_.resize(containers_.empty() ? 0 : containers_.back());
    }
    void tell(const JsonScalar& value) {
        if (depth_ <= deepest_ && visitor_.on_value) visitor_.on_value(path_, value);
    }

    const JsonVisitor& visitor_;
    std::size_t deepest_;
    std::size_t depth_ = 0;
    bool root_is_object_ = false;
    std::string path_;
    std::vector<std::size_t> containers_;  ///< How long the path of each is.
};

}  // namespace

bool walk_json(std::string_view json, const JsonVisitor& visitor, std::size_t deepest) {
    JsonWalker walker{visitor, deepest};
    return scan_json(json, walker) && walker.root_is_object();
}

}  // namespace twiliowa::detail
