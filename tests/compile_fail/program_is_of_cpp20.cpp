// flags: -std=c++17
// expect: twiliowa needs C\+\+20
#include <twiliowa/twiliowa.hpp>
