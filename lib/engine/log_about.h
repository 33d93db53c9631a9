// Lines of the log about a transaction. Their text begins with the transaction's name: "gid=g-17",
// and "trace=4bf9…" if the trace of its caller is known.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/log.h"
#include "core/transaction.h"

namespace belay::engine {

// Logs `text` behind the name, with the fields of LogLine.
void write_about(const base::Log& log, LogLevel level, const core::Transaction& transaction,
                 const std::string& text);

// The same; the text is formatted only if the line is logged.
template <class... Args>
void log_about(const base::Log& log, LogLevel level, const core::Transaction& transaction,
               fmt::format_string<Args...> format, Args&&... args) {
  if (!log.wants(level)) return;
  write_about(log, level, transaction, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace belay::engine
