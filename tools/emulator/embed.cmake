# cmake -D INPUT=<page> -D OUTPUT=<source file> -P embed.cmake: a file as an array of bytes.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"page.hpp\"\n\nnamespace emulator {\n\nconst char page_html[] = {\n${bytes}};\nconst std::size_t page_html_size = sizeof page_html;\n\n}  // namespace emulator\n")
