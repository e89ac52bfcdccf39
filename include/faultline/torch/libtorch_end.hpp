// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stands after the LibTorch headers of every header of ours and gives back what libtorch_begin.hpp put away.

#ifndef FAULTLINE_DETAIL_LIBTORCH
#error "faultline: libtorch_end.hpp stands without libtorch_begin.hpp."
#endif
#undef FAULTLINE_DETAIL_LIBTORCH

#ifdef FAULTLINE_DETAIL_TOOK_CHECK
#undef FAULTLINE_DETAIL_TOOK_CHECK
#pragma pop_macro("CHECK")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_EQ
#undef FAULTLINE_DETAIL_TOOK_CHECK_EQ
#pragma pop_macro("CHECK_EQ")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_GE
#undef FAULTLINE_DETAIL_TOOK_CHECK_GE
#pragma pop_macro("CHECK_GE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_GT
#undef FAULTLINE_DETAIL_TOOK_CHECK_GT
#pragma pop_macro("CHECK_GT")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_LE
#undef FAULTLINE_DETAIL_TOOK_CHECK_LE
#pragma pop_macro("CHECK_LE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_LT
#undef FAULTLINE_DETAIL_TOOK_CHECK_LT
#pragma pop_macro("CHECK_LT")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_NE
#undef FAULTLINE_DETAIL_TOOK_CHECK_NE
#pragma pop_macro("CHECK_NE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_CHECK_NOTNULL
#undef FAULTLINE_DETAIL_TOOK_CHECK_NOTNULL
#pragma pop_macro("CHECK_NOTNULL")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK
#undef FAULTLINE_DETAIL_TOOK_DCHECK
#pragma pop_macro("DCHECK")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK_EQ
#undef FAULTLINE_DETAIL_TOOK_DCHECK_EQ
#pragma pop_macro("DCHECK_EQ")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK_GE
#undef FAULTLINE_DETAIL_TOOK_DCHECK_GE
#pragma pop_macro("DCHECK_GE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK_GT
#undef FAULTLINE_DETAIL_TOOK_DCHECK_GT
#pragma pop_macro("DCHECK_GT")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK_LE
#undef FAULTLINE_DETAIL_TOOK_DCHECK_LE
#pragma pop_macro("DCHECK_LE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK_LT
#undef FAULTLINE_DETAIL_TOOK_DCHECK_LT
#pragma pop_macro("DCHECK_LT")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DCHECK_NE
#undef FAULTLINE_DETAIL_TOOK_DCHECK_NE
#pragma pop_macro("DCHECK_NE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_DLOG
#undef FAULTLINE_DETAIL_TOOK_DLOG
#pragma pop_macro("DLOG")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_FATAL_IF
#undef FAULTLINE_DETAIL_TOOK_FATAL_IF
#pragma pop_macro("FATAL_IF")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_LOG
#undef FAULTLINE_DETAIL_TOOK_LOG
#pragma pop_macro("LOG")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_LOG_AT_FILE_LINE
#undef FAULTLINE_DETAIL_TOOK_LOG_AT_FILE_LINE
#pragma pop_macro("LOG_AT_FILE_LINE")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_LOG_EVERY_N
#undef FAULTLINE_DETAIL_TOOK_LOG_EVERY_N
#pragma pop_macro("LOG_EVERY_N")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_LOG_FIRST_N
#undef FAULTLINE_DETAIL_TOOK_LOG_FIRST_N
#pragma pop_macro("LOG_FIRST_N")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_LOG_IF
#undef FAULTLINE_DETAIL_TOOK_LOG_IF
#pragma pop_macro("LOG_IF")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_VLOG
#undef FAULTLINE_DETAIL_TOOK_VLOG
#pragma pop_macro("VLOG")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_VLOG_IF
#undef FAULTLINE_DETAIL_TOOK_VLOG_IF
#pragma pop_macro("VLOG_IF")
#endif
#ifdef FAULTLINE_DETAIL_TOOK_VLOG_IS_ON
#undef FAULTLINE_DETAIL_TOOK_VLOG_IS_ON
#pragma pop_macro("VLOG_IS_ON")
#endif
