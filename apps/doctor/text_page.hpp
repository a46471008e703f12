// A page of text for a terminal: headings, labelled paragraphs wrapped to a width, colours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace upcall_doctor {

enum class tone { plain, strong, good, bad, warning, faint };

struct page_style {
    std::size_t width = 80;
    bool colours = false;
};

class text_page {
  public:
    explicit text_page(page_style style) : style_(style) {}

    // A title on a line of its own, after an empty one.
    void heading(std::string_view title);
    // "  label   text": the text wrapped beside the label, which may have a tone of its own.
    void item(std::string_view label, std::string_view text, tone label_tone = tone::plain);
    // "  label   mark  text", the mark in its tone.
    void marked(std::string_view label, std::string_view mark, tone mark_tone,
                std::string_view text);
    // A paragraph under what was written last, set off by "->".
    void advice(std::string_view text);
    // A paragraph at the left margin.
    void paragraph(std::string_view text, tone how = tone::plain);

    const std::string& text() const noexcept { return text_; }

  private:
    std::string coloured(std::string_view words, tone how) const;
    // Appends `words`, wrapped; the first line goes on at column `start`, the others at `indent`.
    void wrap(std::string_view words, std::size_t start, std::size_t indent,
              tone how = tone::plain);

    page_style style_;
    std::string text_;
};

}  // namespace upcall_doctor
