// What must hold for any bytes that are read from disk: nothing crashes, and what can be read is
// written and read again as the same. Shared by the fuzzer and by the plain test of its corpus.
#pragma once

#include <string>
#include <string_view>

namespace belay::test {

// The input's first byte says what the rest is read as.
enum class Reading : char {
  batch = 'b',  // a sealed batch, checksum and all
  records =
      'r',  // a batch's inside: it is given a checksum that is right, or no input would get far
  history = 'h',  // the same, applied to a saga of three branches
  driven = 'p',   // to a tcc that its caller drives
  message = 'm',  // to a message with a back-check and a topic, prepared
  workflow = 'w',
  snapshot = 's',
  definition = 'd',
  timeline = 't',
};

// What broke, in a sentence; empty if all held. `read` is set if the input could be read at all.
std::string check_record_codec(std::string_view input, bool& read);

}  // namespace belay::test
