// What the shop's back end may ask for. README.md lists the requests.
#pragma once

#include "shop.hpp"
#include "support/api.hpp"

namespace shop {

/// Requests have SHOP_API_KEY in their header `x-api-key`. `shop` lives as long as it.
support::Api make_api(Shop& shop);

}  // namespace shop
