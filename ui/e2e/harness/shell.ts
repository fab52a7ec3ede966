/*
 * What is around every page, as one uses it.
 */
import type { Locator, Page } from '@playwright/test'

export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export function menu(page: Page): Locator {
  return page.getByRole('navigation', { name: 'Pages' })
}

/** Paths that the menu leads to. */
export async function menuPaths(page: Page): Promise<string[]> {
  return menu(page).getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
}

export async function goTo(page: Page, title: string): Promise<void> {
  await menu(page).getByRole('link', { name: title, exact: true }).click()
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
}
