// A file that gets its name when all of it is on disk. Until then its name has ".part" behind it.
#pragma once

#include <string>
#include <utility>

#include "belay/result.h"

namespace belay::tool {

class NewFile {
 public:
  // Only its owner may read it. Errors: invalid_argument (there is such a file, or its ".part"),
  // no_space, storage.
  static Result<NewFile> make(const std::string& path);
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  NewFile& operator=(NewFile&&) = delete;
  // Removes the file if it has not got its name.
  ~NewFile();

  int descriptor() const { return descriptor_; }
  // Syncs and names it. Errors: as `make`.
  Result<> finish();

 private:
  NewFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::string part() const { return path_ + ".part"; }

  std::string path_;
  int descriptor_;
};

}  // namespace belay::tool
