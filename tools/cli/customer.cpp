// `twiliowa customer`: what is kept about one customer, over the store of a service.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/error.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "moment.hpp"
