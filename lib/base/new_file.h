// A file that gets its name when all of it is on disk, so whatever has that name is whole. Until
// then its name has ".part" behind it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "belay/result.h"

namespace belay::base {

class NewFile {
 public:
  // `writer` names who writes such files: "backup". Only its owner may read the file. Errors:
  // invalid_argument (there is such a file, or its ".part"), no_space, storage.
  static Result<NewFile> make(const std::string& path, std::string_view writer);
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  NewFile& operator=(NewFile&&) = delete;
  // Removes the file if it has not got its name.
  ~NewFile();

  int descriptor() const { return descriptor_; }
  // The name that it has until it is finished.
  std::string part() const { return path_ + ".part"; }
  // Syncs it and gives it its name, which no other file may have got. Errors: as `make`; and
  // invalid_argument if somebody has removed or replaced it.
  Result<> finish();

 private:
  NewFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  Result<> give_name();
  bool has_its_part() const;  // nobody has removed or replaced it

  std::string path_;
  int descriptor_;
};

}  // namespace belay::base
