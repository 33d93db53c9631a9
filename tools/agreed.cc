#include "agreed.h"

#include <unistd.h>

#include <iostream>
#include <string>

namespace belay::tool {

bool can_ask() { return ::isatty(STDIN_FILENO) != 0; }

bool is_agreed(Context& context, std::string_view question) {
  context.err.print("{} [y/N] ", question);
  context.err.flush();
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace belay::tool
