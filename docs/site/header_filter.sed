# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What Doxygen reads of a header: the same lines, without the inline namespace, and with the first comment as the file's description.
/^#pragma once$/,/^$/ {
  s|^#pragma once$|/// \\file|
  s|^// |/// |
}
s|^inline namespace v1 {.*||
s|^}  // namespace v1$||
# (a brief sentence would end behind "al.")
/^ *\/\/\// s|et al\. |et al.\\ |g
# (a sentence that begins with "Share" or "Edit" does not mean the structure of that name; names stand in backticks)
s|^\( */// \)\([A-Z][a-z]*\)\([ ,:]\)|\1%\2\3|
s|\(///< \)\([A-Z][a-z]*\)\([ ,:]\)|\1%\2\3|
