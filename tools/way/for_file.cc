#include "way/for_file.h"

#include <fmt/format.h>

namespace belay::tool {

std::optional<protocol::Described> describe_for_file(const Submission& submission,
                                                     std::optional<Failure>& failure) {
  if (submission.own) {
    return std::visit([](const auto& one) { return protocol::Described(one); },
                      submission.own->any());
  }
  const auto& type = submission.request.trans_type;
  if (type != "saga" && type != "msg") {
    failure =
        Failure{ExitCode::usage,
                fmt::format("{}trans_type is '{}', and others than saga and msg need a caller "
                            "who goes on with them",
                            submission.place(), type),
                "let a client of dtm's do that against `belay serve`"};
    return std::nullopt;
  }
  protocol::ServiceOptions options;
  options.urls_only = false;
  auto described = protocol::describe(submission.request, options);
  if (described) return std::move(*described);
  failure = failure_of(described.error(), submission.place());
  return std::nullopt;
}

}  // namespace belay::tool
