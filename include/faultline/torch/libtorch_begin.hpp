// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stands before the LibTorch headers of every header of ours, libtorch_end.hpp after them (so: no #pragma once).
//
// LibTorch's logging header defines CHECK, LOG and others without a prefix. What a user or a test framework had defined
// under such a name is put away here and given back at the end; a name that nobody had is left to LibTorch, whose later
// headers use it. Once that header has been read it takes nothing more, and what is defined now, whoever's it is,
// stays.

#include <faultline/config.hpp>

#ifdef FAULTLINE_DETAIL_LIBTORCH
#error "faultline: libtorch_begin.hpp stands twice before libtorch_end.hpp."
#endif
#define FAULTLINE_DETAIL_LIBTORCH

#if !defined(C10_UTIL_LOGGING_H_) && !defined(C10_LOG_EVERY_MS)  // both are of c10/util/Logging.h
#ifdef CHECK
#define FAULTLINE_DETAIL_TOOK_CHECK
#pragma push_macro("CHECK")
#undef CHECK
#endif
#ifdef CHECK_EQ
#define FAULTLINE_DETAIL_TOOK_CHECK_EQ
#pragma push_macro("CHECK_EQ")
#undef CHECK_EQ
#endif
#ifdef CHECK_GE
#define FAULTLINE_DETAIL_TOOK_CHECK_GE
#pragma push_macro("CHECK_GE")
#undef CHECK_GE
#endif
#ifdef CHECK_GT
#define FAULTLINE_DETAIL_TOOK_CHECK_GT
#pragma push_macro("CHECK_GT")
#undef CHECK_GT
#endif
#ifdef CHECK_LE
#define FAULTLINE_DETAIL_TOOK_CHECK_LE
#pragma push_macro("CHECK_LE")
#undef CHECK_LE
#endif
#ifdef CHECK_LT
#define FAULTLINE_DETAIL_TOOK_CHECK_LT
#pragma push_macro("CHECK_LT")
#undef CHECK_LT
#endif
#ifdef CHECK_NE
#define FAULTLINE_DETAIL_TOOK_CHECK_NE
#pragma push_macro("CHECK_NE")
#undef CHECK_NE
#endif
#ifdef CHECK_NOTNULL
#define FAULTLINE_DETAIL_TOOK_CHECK_NOTNULL
#pragma push_macro("CHECK_NOTNULL")
#undef CHECK_NOTNULL
#endif
#ifdef DCHECK
#define FAULTLINE_DETAIL_TOOK_DCHECK
#pragma push_macro("DCHECK")
#undef DCHECK
#endif
#ifdef DCHECK_EQ
#define FAULTLINE_DETAIL_TOOK_DCHECK_EQ
#pragma push_macro("DCHECK_EQ")
#undef DCHECK_EQ
#endif
#ifdef DCHECK_GE
#define FAULTLINE_DETAIL_TOOK_DCHECK_GE
#pragma push_macro("DCHECK_GE")
#undef DCHECK_GE
#endif
#ifdef DCHECK_GT
#define FAULTLINE_DETAIL_TOOK_DCHECK_GT
#pragma push_macro("DCHECK_GT")
#undef DCHECK_GT
#endif
#ifdef DCHECK_LE
#define FAULTLINE_DETAIL_TOOK_DCHECK_LE
#pragma push_macro("DCHECK_LE")
#undef DCHECK_LE
#endif
#ifdef DCHECK_LT
#define FAULTLINE_DETAIL_TOOK_DCHECK_LT
#pragma push_macro("DCHECK_LT")
#undef DCHECK_LT
#endif
#ifdef DCHECK_NE
#define FAULTLINE_DETAIL_TOOK_DCHECK_NE
#pragma push_macro("DCHECK_NE")
#undef DCHECK_NE
#endif
#ifdef DLOG
#define FAULTLINE_DETAIL_TOOK_DLOG
#pragma push_macro("DLOG")
#undef DLOG
#endif
#ifdef FATAL_IF
#define FAULTLINE_DETAIL_TOOK_FATAL_IF
#pragma push_macro("FATAL_IF")
#undef FATAL_IF
#endif
#ifdef LOG
#define FAULTLINE_DETAIL_TOOK_LOG
#pragma push_macro("LOG")
#undef LOG
#endif
#ifdef LOG_AT_FILE_LINE
#define FAULTLINE_DETAIL_TOOK_LOG_AT_FILE_LINE
#pragma push_macro("LOG_AT_FILE_LINE")
#undef LOG_AT_FILE_LINE
#endif
#ifdef LOG_EVERY_N
#define FAULTLINE_DETAIL_TOOK_LOG_EVERY_N
#pragma push_macro("LOG_EVERY_N")
#undef LOG_EVERY_N
#endif
#ifdef LOG_FIRST_N
#define FAULTLINE_DETAIL_TOOK_LOG_FIRST_N
#pragma push_macro("LOG_FIRST_N")
#undef LOG_FIRST_N
#endif
#ifdef LOG_IF
#define FAULTLINE_DETAIL_TOOK_LOG_IF
#pragma push_macro("LOG_IF")
#undef LOG_IF
#endif
#ifdef VLOG
#define FAULTLINE_DETAIL_TOOK_VLOG
#pragma push_macro("VLOG")
#undef VLOG
#endif
#ifdef VLOG_IF
#define FAULTLINE_DETAIL_TOOK_VLOG_IF
#pragma push_macro("VLOG_IF")
#undef VLOG_IF
#endif
#ifdef VLOG_IS_ON
#define FAULTLINE_DETAIL_TOOK_VLOG_IS_ON
#pragma push_macro("VLOG_IS_ON")
#undef VLOG_IS_ON
#endif
#endif
