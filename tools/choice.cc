#include "choice.h"

#include <CLI/CLI.hpp>

#include "base/cause.h"
#include "filter.h"
#include "view/hide.h"

namespace belay::tool {

void add_choice_options(CLI::App* command, StuckChoice& choice) {
  add_filter_options(command, choice.filter);
  const auto set = [&choice](const std::string& value) {
    if (const auto hidden = refuse_hidden("--host", value)) throw CLI::ValidationError(*hidden);
    choice.host = base::host_of(value);
    if (choice.host.empty())
      throw CLI::ValidationError("--host", fmt::format("'{}' is no http or https URL", value));
  };
  command
      ->add_option_function<std::string>("--host", set,
                                         "only branches that wait for this host: http://HOST:PORT")
      ->type_name("URL");
}

}  // namespace belay::tool
