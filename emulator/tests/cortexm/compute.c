/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What instructions compute: the sum of many results and flags, a line for each. The same everywhere.
 */
#include "program.h"

static uint32_t random_state, sum;

static uint32_t any(void)
{
	static const uint32_t special[] = { 0,          1,          2,          0x7FFFFFFF, 0x80000000, 0x80000001,
					    0xFFFFFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFC12345,
					    0x3F800000, 0x00000123, 0x807FFFFF, 0x00800000, 0x4F000000, 0xCF000001,
					    0x33800000, 0x00FF00FF, 0x80008000, 0x7FFF7FFF, 0x42F60000, 0x7F7FFFFF };
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	if ((random_state & 0x700) == 0)
		return special[(random_state >> 16) % (sizeof special / sizeof special[0])];
	if ((random_state & 0x700) == 0x100) /* a float of middling size */
		return (random_state & 0x80FFFFFF) | 0x3E000000 | (random_state & 0x3000000);
	return random_state;
}

static void add(uint32_t value)
{
	sum = (sum ^ value) * 0x01000193;
	sum ^= sum >> 15;
}

static void begin(void)
{
	random_state = 0x12345678;
	sum = 0x811C9DC5;
}

enum { TIMES = 200 };

#define INTEGER(text) \
	do { \
		begin(); \
		for (int i_ = 0; i_ < TIMES; i_++) { \
			uint32_t a_ = any(), b_ = any(), c_ = any(), d_ = any(), flags_ = any() & 0xF80F0000; \
			if (i_ & 1) \
				c_ &= 0x3F; \
			__asm volatile("msr apsr_nzcvqg, %4\n\t" text "\n\tmrs %4, apsr" \
				       : "+r"(a_), "+r"(b_), "+r"(d_), "+r"(c_), "+r"(flags_)::"cc"); \
			add(a_); \
			add(b_); \
			add(flags_); \
		} \
		say_hex(text, sum); \
	} while (0)

#define FLOAT(text) \
	do { \
		begin(); \
		for (uint32_t i_ = 0; i_ < TIMES; i_++) { \
			uint32_t a_ = any(), b_ = any(), c_ = any(), mode_ = (i_ & 31) << 22 & 0x03C00000, flags_; \
			__asm volatile("vmsr fpscr, %3\n\tvmov s0, %0\n\tvmov s1, %1\n\tvmov s2, %2\n\t" text \
				       "\n\tvmov %0, s0\n\tvmrs %4, fpscr" \
				       : "+r"(a_), "+r"(b_), "+r"(c_), "+r"(mode_), "=r"(flags_)::"s0", "s1", "s2"); \
			add(a_); \
			add(flags_); \
		} \
		say_hex(text, sum); \
	} while (0)

static void of_two(void)
{
	INTEGER("add %0, %2, %3");
	INTEGER("adds %0, %2, %3");
	INTEGER("adc %0, %2, %3");
	INTEGER("adcs %0, %2, %3");
	INTEGER("sub %0, %2, %3");
	INTEGER("subs %0, %2, %3");
	INTEGER("sbc %0, %2, %3");
	INTEGER("sbcs %0, %2, %3");
	INTEGER("rsb %0, %2, %3");
	INTEGER("rsbs %0, %2, %3");
	INTEGER("and %0, %2, %3");
	INTEGER("ands %0, %2, %3");
	INTEGER("orr %0, %2, %3");
	INTEGER("orrs %0, %2, %3");
	INTEGER("eor %0, %2, %3");
	INTEGER("eors %0, %2, %3");
	INTEGER("bic %0, %2, %3");
	INTEGER("bics %0, %2, %3");
	INTEGER("orn %0, %2, %3");
	INTEGER("orns %0, %2, %3");
	INTEGER("mul %0, %2, %3");
	INTEGER("udiv %0, %2, %3");
	INTEGER("sdiv %0, %2, %3");
	INTEGER("lsl %0, %2, %3");
	INTEGER("lsls %0, %2, %3");
	INTEGER("lsr %0, %2, %3");
	INTEGER("lsrs %0, %2, %3");
	INTEGER("asr %0, %2, %3");
	INTEGER("asrs %0, %2, %3");
	INTEGER("ror %0, %2, %3");
	INTEGER("rors %0, %2, %3");
	INTEGER("sadd16 %0, %2, %3");
	INTEGER("sadd8 %0, %2, %3");
	INTEGER("ssub16 %0, %2, %3");
	INTEGER("ssub8 %0, %2, %3");
	INTEGER("sasx %0, %2, %3");
	INTEGER("ssax %0, %2, %3");
	INTEGER("uadd16 %0, %2, %3");
	INTEGER("uadd8 %0, %2, %3");
	INTEGER("usub16 %0, %2, %3");
	INTEGER("usub8 %0, %2, %3");
	INTEGER("uasx %0, %2, %3");
	INTEGER("usax %0, %2, %3");
	INTEGER("qadd16 %0, %2, %3");
	INTEGER("qadd8 %0, %2, %3");
	INTEGER("qsub16 %0, %2, %3");
	INTEGER("qsub8 %0, %2, %3");
	INTEGER("qasx %0, %2, %3");
	INTEGER("qsax %0, %2, %3");
	INTEGER("uqadd16 %0, %2, %3");
	INTEGER("uqadd8 %0, %2, %3");
	INTEGER("uqsub16 %0, %2, %3");
	INTEGER("uqsub8 %0, %2, %3");
	INTEGER("uqasx %0, %2, %3");
	INTEGER("uqsax %0, %2, %3");
	INTEGER("shadd16 %0, %2, %3");
	INTEGER("shadd8 %0, %2, %3");
	INTEGER("shsub16 %0, %2, %3");
	INTEGER("shsub8 %0, %2, %3");
	INTEGER("shasx %0, %2, %3");
	INTEGER("shsax %0, %2, %3");
	INTEGER("uhadd16 %0, %2, %3");
	INTEGER("uhadd8 %0, %2, %3");
	INTEGER("uhsub16 %0, %2, %3");
	INTEGER("uhsub8 %0, %2, %3");
	INTEGER("uhasx %0, %2, %3");
	INTEGER("uhsax %0, %2, %3");
	INTEGER("qadd %0, %2, %3");
	INTEGER("qsub %0, %2, %3");
	INTEGER("qdadd %0, %2, %3");
	INTEGER("qdsub %0, %2, %3");
	INTEGER("sel %0, %2, %3");
	INTEGER("usad8 %0, %2, %3");
	INTEGER("smulbb %0, %2, %3");
	INTEGER("smulbt %0, %2, %3");
	INTEGER("smultb %0, %2, %3");
	INTEGER("smultt %0, %2, %3");
	INTEGER("smulwb %0, %2, %3");
	INTEGER("smulwt %0, %2, %3");
	INTEGER("smmul %0, %2, %3");
	INTEGER("smmulr %0, %2, %3");
	INTEGER("smuad %0, %2, %3");
	INTEGER("smuadx %0, %2, %3");
	INTEGER("smusd %0, %2, %3");
	INTEGER("smusdx %0, %2, %3");
	INTEGER("sxtab %0, %2, %3");
	INTEGER("sxtah %0, %2, %3");
	INTEGER("sxtab16 %0, %2, %3");
	INTEGER("uxtab %0, %2, %3");
	INTEGER("uxtah %0, %2, %3");
	INTEGER("uxtab16 %0, %2, %3");
}

static void of_one(void)
{
	INTEGER("mov %0, %2");
	INTEGER("movs %0, %2");
	INTEGER("mvn %0, %2");
	INTEGER("mvns %0, %2");
	INTEGER("clz %0, %2");
	INTEGER("rev %0, %2");
	INTEGER("rev16 %0, %2");
	INTEGER("revsh %0, %2");
	INTEGER("rbit %0, %2");
	INTEGER("sxtb %0, %2");
	INTEGER("sxth %0, %2");
	INTEGER("sxtb16 %0, %2");
	INTEGER("uxtb %0, %2");
	INTEGER("uxth %0, %2");
	INTEGER("uxtb16 %0, %2");
	INTEGER("rrx %0, %2");
	INTEGER("rrxs %0, %2");
	INTEGER("cmp %2, %3");
	INTEGER("cmn %2, %3");
	INTEGER("tst %2, %3");
	INTEGER("teq %2, %3");
}

static void of_three(void)
{
	INTEGER("mla %0, %1, %2, %3");
	INTEGER("mls %0, %1, %2, %3");
	INTEGER("smlabb %0, %1, %2, %3");
	INTEGER("smlabt %0, %1, %2, %3");
	INTEGER("smlatb %0, %1, %2, %3");
	INTEGER("smlatt %0, %1, %2, %3");
	INTEGER("smlawb %0, %1, %2, %3");
	INTEGER("smlawt %0, %1, %2, %3");
	INTEGER("smlad %0, %1, %2, %3");
	INTEGER("smladx %0, %1, %2, %3");
	INTEGER("smlsd %0, %1, %2, %3");
	INTEGER("smlsdx %0, %1, %2, %3");
	INTEGER("smmla %0, %1, %2, %3");
	INTEGER("smmlar %0, %1, %2, %3");
	INTEGER("smmls %0, %1, %2, %3");
	INTEGER("smmlsr %0, %1, %2, %3");
	INTEGER("usada8 %0, %1, %2, %3");
}

static void of_64_bits(void)
{
	INTEGER("umull %0, %1, %2, %3");
	INTEGER("smull %0, %1, %2, %3");
	INTEGER("umlal %0, %1, %2, %3");
	INTEGER("smlal %0, %1, %2, %3");
	INTEGER("umaal %0, %1, %2, %3");
	INTEGER("smlalbb %0, %1, %2, %3");
	INTEGER("smlaltt %0, %1, %2, %3");
	INTEGER("smlald %0, %1, %2, %3");
	INTEGER("smlaldx %0, %1, %2, %3");
	INTEGER("smlsld %0, %1, %2, %3");
	INTEGER("smlsldx %0, %1, %2, %3");
}

static void with_constants(void)
{
	INTEGER("ssat %0, #7, %2");
	INTEGER("ssat %0, #17, %2, lsl #3");
	INTEGER("usat %0, #9, %2");
	INTEGER("usat %0, #12, %2, asr #4");
	INTEGER("ssat16 %0, #9, %2");
	INTEGER("usat16 %0, #6, %2");
	INTEGER("ubfx %0, %2, #5, #11");
	INTEGER("sbfx %0, %2, #3, #9");
	INTEGER("bfi %0, %2, #7, #13");
	INTEGER("bfc %0, #4, #8");
	INTEGER("pkhbt %0, %2, %3, lsl #5");
	INTEGER("pkhtb %0, %2, %3, asr #9");
	INTEGER("adds %0, %2, %3, ror #7");
	INTEGER("subs %0, %2, %3, asr #31");
	INTEGER("ands %0, %2, %3, lsr #32");
	INTEGER("orrs %0, %2, #0xff00ff00");
	INTEGER("sxtb %0, %2, ror #8");
	INTEGER("uxtab16 %0, %2, %3, ror #24");
	INTEGER("adcs %0, %2, #0x1fe00");
	INTEGER("rsbs %0, %2, #0");
	INTEGER("movt %0, #0xabcd");
}

static void of_floats(void)
{
	FLOAT("vadd.f32 s0, s1, s2");
	FLOAT("vsub.f32 s0, s1, s2");
	FLOAT("vmul.f32 s0, s1, s2");
	FLOAT("vdiv.f32 s0, s1, s2");
	FLOAT("vnmul.f32 s0, s1, s2");
	FLOAT("vmla.f32 s0, s1, s2");
	FLOAT("vmls.f32 s0, s1, s2");
	FLOAT("vnmla.f32 s0, s1, s2");
	FLOAT("vnmls.f32 s0, s1, s2");
	FLOAT("vfma.f32 s0, s1, s2");
	FLOAT("vfms.f32 s0, s1, s2");
	FLOAT("vfnma.f32 s0, s1, s2");
	FLOAT("vfnms.f32 s0, s1, s2");
	FLOAT("vsqrt.f32 s0, s1");
	FLOAT("vabs.f32 s0, s1");
	FLOAT("vneg.f32 s0, s1");
	FLOAT("vmov.f32 s0, s1");
	FLOAT("vcvt.s32.f32 s0, s1");
	FLOAT("vcvtr.s32.f32 s0, s1");
	FLOAT("vcvt.u32.f32 s0, s1");
	FLOAT("vcvtr.u32.f32 s0, s1");
	FLOAT("vcvt.f32.s32 s0, s1");
	FLOAT("vcvt.f32.u32 s0, s1");
	FLOAT("vcvtb.f16.f32 s0, s1");
	FLOAT("vcvtt.f16.f32 s0, s1");
	FLOAT("vcvtb.f32.f16 s0, s1");
	FLOAT("vcvtt.f32.f16 s0, s1");
	FLOAT("vcvt.s16.f32 s0, s0, #5");
	FLOAT("vcvt.u16.f32 s0, s0, #9");
	FLOAT("vcvt.s32.f32 s0, s0, #20");
	FLOAT("vcvt.u32.f32 s0, s0, #31");
	FLOAT("vcvt.f32.s16 s0, s0, #3");
	FLOAT("vcvt.f32.u16 s0, s0, #16");
	FLOAT("vcvt.f32.s32 s0, s0, #7");
	FLOAT("vcvt.f32.u32 s0, s0, #32");
	FLOAT("vcmp.f32 s0, s1");
	FLOAT("vcmpe.f32 s0, s1");
	FLOAT("vcmp.f32 s0, #0");
	FLOAT("vmov.f32 s0, #-1.5");
}

int main(void)
{
	CPACR = 0xF00000;
	BARRIER();
	of_two();
	of_one();
	of_three();
	of_64_bits();
	with_constants();
	of_floats();
	return 0;
}
