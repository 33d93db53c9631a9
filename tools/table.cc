#include "table.h"

#include <algorithm>

namespace belay::tool {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kMore = 4;     // the indent of a row's further lines
constexpr std::size_t kCutMin = 20;  // a column is not cut to less

}  // namespace

Table::Table(std::vector<Column> columns, std::size_t indent)
    : columns_(std::move(columns)), indent_(indent) {}

void Table::add(Row row) {
  row.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(row));
}

Table::Line Table::natural_places() const {
  Line places;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = 0;
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[i].text));
    if (widest == 0) continue;
    widest = std::max(widest, display_width(columns_[i].name));
    places.push_back({i, columns_[i].may_be_cut ? std::min(widest, kCutMin) : widest, widest});
  }
  return places;
}

std::size_t Table::indent_of(std::size_t line) const { return indent_ + (line == 0 ? 0 : kMore); }

std::vector<Table::Line> Table::lines_within(std::size_t limit) const {
  std::vector<Line> lines(1);
  std::vector<std::size_t> used = {indent_of(0)};
  for (const auto& place : natural_places()) {
    const auto gap = lines.back().empty() ? 0 : kGap;
    if (!lines.back().empty() && used.back() + gap + place.width > limit) {
      used.push_back(indent_of(lines.size()) + place.width);
      lines.push_back({place});
      continue;
    }
    used.back() += gap + place.width;
    lines.back().push_back(place);
  }
  // The last column says why, so it gets what is left first.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (auto place = lines[i].rbegin(); place != lines[i].rend(); ++place) {
      const auto left = limit > used[i] ? limit - used[i] : 0;
      const auto more = std::min(left, place->natural - place->width);
      place->width += more;
      used[i] += more;
    }
  }
  return lines;
}

void Table::print_row(Out& out, const std::vector<Line>& lines, const Row& row) const {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string text(indent_of(i), ' ');
    bool is_blank = true;
    for (const auto& place : lines[i]) {
      const auto& cell = row[place.column];
      const auto shown =
          columns_[place.column].may_be_cut ? fitted(cell.text, place.width) : cell.text;
      const auto width = display_width(shown);
      const std::string padding(place.width > width ? place.width - width : 0, ' ');
      const bool right = columns_[place.column].align == Align::right;
      text +=
          right ? padding + out.styled(shown, cell.style) : out.styled(shown, cell.style) + padding;
      text.append(kGap, ' ');
      is_blank = is_blank && shown.empty();
    }
    if (is_blank && i > 0) continue;
    text.erase(text.find_last_not_of(' ') + 1);
    out.write(text + "\n");
  }
}

void Table::print(Out& out) const {
  const auto lines = lines_within(out.columns());
  Row names;
  for (const auto& column : columns_) names.emplace_back(column.name, Style::dim);
  print_row(out, lines, names);
  for (const auto& row : rows_) print_row(out, lines, row);
}

}  // namespace belay::tool
