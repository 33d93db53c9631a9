// A new directory for one run, which is removed afterwards unless it is to be kept.
#pragma once

#include <string>

#include "belay/result.h"

namespace belay::bench {

class WorkDir {
 public:
  // Made inside `parent`; if that is empty, in TMPDIR, or else in /var/tmp, which is on a disk even
  // where /tmp is in memory.
  static Result<WorkDir> make(const std::string& parent, bool keep);
  WorkDir(WorkDir&& other) noexcept;
  WorkDir& operator=(WorkDir&&) = delete;
  ~WorkDir();

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  WorkDir(std::string path, bool keep) : path_(std::move(path)), keep_(keep) {}

  std::string path_;
  bool keep_;
};

}  // namespace belay::bench
