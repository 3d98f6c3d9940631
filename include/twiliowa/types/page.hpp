/// @file
/// Lists that come page by page, and walking them.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// One page of a list. `next` is empty on the last one.
template <class T>
struct Page {
    std::vector<T> items = {};
    /// Where the next page is, exactly as Twilio said; hand it to `next_page`.
    std::string next = {};
};

/// A lazy walk over a list, one page in memory: a range of Result<T>, whose last element is the
/// first failure, if there is one. An input range: walk it once.
template <class T>
class ListResults {
public:
    /// Fetches the page after the one given; the first for null. A page without items is the last.
    using PageSource = std::function<Result<Page<T>>(const Page<T>* before)>;

    explicit ListResults(PageSource source) : source_(std::move(source)) {}

    /// Walks the list once. Points to an item, or to the failure that ends the walk.
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::input_iterator_tag;
        using value_type = Result<T>;
        using difference_type = std::ptrdiff_t;
        using pointer = const Result<T>*;
        using reference = const Result<T>&;

        iterator() noexcept = default;
        reference operator*() const { return *owner_->current_; }
        pointer operator->() const { return &*owner_->current_; }
        iterator& operator++() {
            owner_->advance();
            return *this;
        }
        void operator++(int) { owner_->advance(); }
        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
            return it.at_end();
        }

    private:
        friend class ListResults;
        explicit iterator(ListResults* owner) noexcept : owner_(owner) {}
        bool at_end() const noexcept { return owner_ == nullptr || !owner_->current_; }
        ListResults* owner_ = nullptr;
    };

    /// Fetches the first page.
    iterator begin() {
        load(source_(nullptr));
        return iterator{this};
    }
    static std::default_sentinel_t end() noexcept { return std::default_sentinel; }

private:
    void advance() {
        const bool goes_on = current_->has_value();  // a failure was the last element
        if (goes_on && ++index_ < page_.items.size()) {
            current_ = std::move(page_.items[index_]);
        } else if (goes_on && !page_.next.empty()) {
            load(source_(&page_));
        } else {
            current_.reset();
        }
    }
    void load(Result<Page<T>> page) {
        index_ = 0;
        current_.reset();
        if (!page) {
            current_ = page.error();
            return;
        }
        page_ = std::move(*page);
        if (!page_.items.empty()) current_ = std::move(page_.items.front());
    }

    PageSource source_;
    Page<T> page_;
    std::size_t index_ = 0;
    std::optional<Result<T>> current_;
};

/// As ListResults, but a range of T: walking it throws a TwilioError on failure.
template <class T>
class ListRange {
public:
    explicit ListRange(ListResults<T> results) : results_(std::move(results)) {}

    /// Walks the list once. Points to an item; a failure is thrown.
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = const T*;
        using reference = const T&;

        iterator() noexcept = default;
        reference operator*() const { return (*it_).value(); }
        pointer operator->() const { return &(*it_).value(); }
        iterator& operator++() {
            ++it_;
            throw_failure();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t end) noexcept {
            return it.it_ == end;
        }

    private:
        friend class ListRange;
        explicit iterator(typename ListResults<T>::iterator it) : it_(it) { throw_failure(); }
        void throw_failure() const {
            if (it_ != std::default_sentinel) static_cast<void>((*it_).value());
        }
        typename ListResults<T>::iterator it_;
    };

    /// Fetches the first page. @throws TwilioError
    iterator begin() { return iterator{results_.begin()}; }
    static std::default_sentinel_t end() noexcept { return std::default_sentinel; }

private:
    ListResults<T> results_;
};

}  // namespace twiliowa
