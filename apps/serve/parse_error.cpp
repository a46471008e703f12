#include "serve/parse_error.hpp"

namespace upcall_serve {

std::string words_for(const CLI::ParseError& error) {
    std::string text = error.what();
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch))
        return text.substr(0, text.find(':')) + " needs a value";
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ConversionError))
        return text.substr(text.find("--"), text.find(" =") - text.find("--")) + " takes no value";
    return text;
}

std::optional<std::string> problem_with_rest(const CLI::App& app) {
    for (const std::string& each : app.remaining()) {
        if (each == "--") continue;
        return "'" + each +
               (each.starts_with('-') ? "' is not an option" : "' is one argument too many");
    }
    return std::nullopt;
}

}  // namespace upcall_serve
