/*
 * Results as TAP, which the test runner of the whole project reads (test/lib/suite): a test a line, with the time it took.
 */
import type { FullConfig, FullResult, Reporter, Suite, TestCase, TestError, TestResult } from '@playwright/test/reporter'
import { FIGURE } from './figure'

export default class TapReporter implements Reporter {
  private number = 0

  onBegin(_config: FullConfig, suite: Suite): void {
    this.say('TAP version 13', `1..${suite.allTests().length}`)
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const name = test.titlePath().slice(2).join(' ').replace('.spec.ts', ':').replace(/#/g, '')
    this.say(`${result.status === 'passed' ? 'ok' : 'not ok'} ${++this.number} - ${name} # time=${result.duration}ms`)
    if (result.status === 'skipped') this.comment('not run')
    for (const error of result.errors) this.comment(error.message ?? '')
    for (const { type, description } of test.annotations) if (type === FIGURE) this.comment(description ?? '')
  }

  /** of the stack, of a test file: no test was run for it */
  onError(error: TestError): void {
    this.comment(error.message ?? '')
  }

  onEnd(result: FullResult): void {
    if (result.status === 'timedout') this.say('Bail out! it took too long')
  }

  printsToStdio(): boolean {
    return true
  }

  private comment(text: string): void {
    // eslint-disable-next-line no-control-regex -- colours, meant for a terminal
    const plain = text.replace(/\u001b\[\d*(?:;\d+)*m/g, '')
    this.say(...plain.split('\n').map((line) => `# ${line}`))
  }

  private say(...lines: string[]): void {
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}
