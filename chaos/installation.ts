/** Something that answers as a gateway does, and the sandbox behind it: what proofs ask of one process, or of many. */
import assert from 'node:assert/strict';
import { call, type Answer, type FirstRunFile, type LooseJson } from '../test/helpers/processes.ts';

export interface Account {
  id: string;
  key: string;
}

export abstract class Installation {
  /** Where callers reach it. */
  abstract get url(): string;
  abstract get keys(): FirstRunFile;
  protected abstract get sandboxUrl(): string;

  /** One admin request; rejects unless it succeeds. */
  async admin(path: string, json?: unknown, method?: string): Promise<LooseJson> {
    const answer = await call(`${this.url}/admin/v1${path}`, {
      key: this.keys.admin_token,
      ...(json !== undefined && { json }),
      ...(method !== undefined && { method }),
    });
    assert.ok(answer.status < 300, `admin ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** All pages of an admin list. */
  async list(path: string): Promise<LooseJson[]> {
    const rows: LooseJson[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: LooseJson = await this.admin(`${path}${path.includes('?') ? '&' : '?'}limit=200${query}`);
      rows.push(...page.data);
      cursor = page.next_cursor;
    }
    return rows;
  }

  /** An account with this much money (a decimal string) and one key. */
  async openAccount(credit: string, limits?: Record<string, unknown>): Promise<Account> {
    const { id } = await this.admin('/accounts', { name: 'chaos' });
    await this.admin(`/accounts/${id}/top-ups`, { amount: credit, note: 'chaos' });
    const { api_key: key } = await this.admin(`/accounts/${id}/keys`, {
      name: 'chaos',
      ...(limits !== undefined && { limits }),
    });
    return { id, key };
  }

  /** Switches every other channel off, until the next start: what is refused here cannot be made elsewhere. */
  async useOnly(provider: string): Promise<void> {
    for (const channel of await this.list('/channels'))
      if (channel.provider !== provider)
        await this.admin(`/channels/${channel.id}`, { enabled: false }, 'PATCH');
  }

  /** Tasks that are not final, as `/metrics` counts them. */
  async openTasks(): Promise<number> {
    const { status, text } = await call(`${this.url}/metrics`);
    assert.equal(status, 200, text);
    const counts = text.matchAll(/^reelay_tasks\{state="(?:queued|in_progress)"\} (\d+)$/gm);
    return counts.reduce((sum, match) => sum + Number(match[1]), 0);
  }

  /** Changes what the sandbox does. */
  async behave(change: Record<string, unknown>): Promise<void> {
    const answer: Answer = await call(`${this.sandboxUrl}/_control/behaviour`, { json: change });
    assert.equal(answer.status, 200, answer.text);
  }

  /** Everything the sandbox ever accepted. */
  async upstreamTasks(): Promise<
    { task_id: string; dedup_handle: string; status: string; submits: number }[]
  > {
    return (await call(`${this.sandboxUrl}/_control/tasks`)).body.tasks;
  }
}
