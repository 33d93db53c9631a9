// A table for people. On a terminal it fits the width; for pipes and files each row is one line.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "output.h"

namespace belay::tool {

// The columns are as wide as their widest cell and two spaces apart. If a terminal is too narrow
// for that, the columns that may be cut become narrower; what does not fit even then goes to
// further lines of its row.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string name;
    Align align = Align::left;
    bool may_be_cut = false;
  };
  // A column of long texts that may be cut; a name by which others find something is never cut.
  static Column text(std::string name) { return {std::move(name), Align::left, true}; }
  static Column number(std::string name) { return {std::move(name), Align::right}; }

  struct Cell {
    Cell(std::string cell_text,
         Style cell_style = Style::plain)  // NOLINT(google-explicit-constructor)
        : text(std::move(cell_text)), style(cell_style) {}
    std::string text;  // must be printable already: see `printable`
    Style style;
  };
  using Row = std::vector<Cell>;  // as many cells as there are columns

  explicit Table(std::vector<Column> columns, std::size_t indent = 0);
  void add(Row row);
  bool empty() const { return rows_.empty(); }
  // Columns without any text are left out.
  void print(Out& out) const;

 private:
  // A column as it is printed.
  struct Place {
    std::size_t column = 0;
    std::size_t width = 0;
    std::size_t natural = 0;  // its width without a limit
  };
  using Line = std::vector<Place>;

  Line natural_places() const;
  std::vector<Line> lines_within(std::size_t limit) const;
  std::size_t indent_of(std::size_t line) const;
  void print_row(Out& out, const std::vector<Line>& lines, const Row& row) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
  std::size_t indent_;
};

}  // namespace belay::tool
