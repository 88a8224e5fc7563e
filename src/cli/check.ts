/** One finding of `reelay doctor`. */
export interface Finding {
  /** `ok` ✓, `attention` ! (works, with a reservation), `wrong` ✗ (exit code 1). */
  verdict: 'ok' | 'attention' | 'wrong';
  /** What was looked at. */
  topic: string;
  message: string;
  /** How to mend it. */
  advice?: string;
}

export const ok = (topic: string, message: string): Finding => ({ verdict: 'ok', topic, message });

export const attention = (topic: string, message: string, advice: string): Finding => ({
  verdict: 'attention',
  topic,
  message,
  advice,
});

export const wrong = (topic: string, message: string, advice: string): Finding => ({
  verdict: 'wrong',
  topic,
  message,
  advice,
});
