#define TWILIOWA_IMPLEMENTATION
#include "twiliowa_single.hpp"
