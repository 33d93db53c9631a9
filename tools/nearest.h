// Names what a misspelt word may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace belay::tool {

// "; did you mean 'action'?" for the known word that is one or two letters away; else nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace belay::tool
