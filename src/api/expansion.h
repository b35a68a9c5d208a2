// $(NAME) references in environment values, commands, arguments and subPathExpr. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cubelet::api {

// Replaces $(NAME) by its value; an unknown name stays as written, $$ is a dollar sign, anything
// else after $ stays (containers.md 3.4.6). Not applied to the values again.
std::string Expand(std::string_view text,
                   const std::function<std::optional<std::string>(std::string_view)>& value_of);

}  // namespace cubelet::api
