import { flushPromises } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'
import type { ImageInfo } from '@/pages/studies/studies'
import { first, last, placed, skipped, stepped, type Stack } from '@/pages/studies/viewer/position'
import { usePicture, type Picture } from '@/pages/studies/viewer/usePicture'
import { objectsOf } from '@/pages/studies/viewer/useSeries'
import { actualSize, askedSide, FITTED, fitScale, kept, notches, percent, zoomedAt } from '@/pages/studies/viewer/view'
import { asked, chosenOf, choicesOf, CT_PRESETS, dragged, effective, isGrey, nextChoice, nudged, ownWindow, typedWindow, windowingOf, type Windowing } from '@/pages/studies/viewer/window'

const ct: ImageInfo = {
  rows: 512, columns: 512, frames: 1, samples_per_pixel: 1, bits_stored: 12, photometric_interpretation: 'MONOCHROME2',
  window_center: 40, window_width: 400, pixel_min: -1000, pixel_max: 1000, displayable: true, reason: null,
}

describe('a window', () => {
  it('is the object’s own, else the range of its values', () => {
    expect(ownWindow(ct)).toEqual({ center: 40, width: 400 })
    expect(ownWindow({ ...ct, window_center: null })).toEqual({ center: 0, width: 2000 })
    expect(ownWindow({ ...ct, window_width: 0 })).toEqual({ center: 0, width: 2000 })
    expect(ownWindow(undefined)).toEqual({ center: 127.5, width: 255 })
  })
  it('is asked for only if it is another, and never for colours', () => {
    expect(asked({ kind: 'own' }, ct)).toBeNull()
    expect(asked({ kind: 'full' }, ct)).toEqual({ center: 0, width: 2000 })
    expect(asked({ kind: 'fixed', window: CT_PRESETS.lung }, ct)).toEqual({ center: -600, width: 1500 })
    expect(asked({ kind: 'full' }, { ...ct, samples_per_pixel: 3, photometric_interpretation: 'RGB' })).toBeNull()
    expect(isGrey({ ...ct, photometric_interpretation: 'PALETTE COLOR' })).toBe(false)
  })
  it('is dragged wider to the right, darker downwards', () => {
    const from = effective({ kind: 'own' }, ct)
    expect(dragged(from, 100, 0, ct)).toEqual({ center: 40, width: 720 })
    expect(dragged(from, 0, 100, ct)).toEqual({ center: 360, width: 400 })
    expect(dragged(from, 0, 0, ct)).toEqual(from)
  })
  it('never has a width of nothing', () => {
    expect(dragged({ center: 40, width: 400 }, -10000, 0, ct).width).toBe(1)
    const small = dragged({ center: 0.5, width: 1 }, -10000, 0, { ...ct, pixel_min: 0, pixel_max: 1 })
    expect(small.width).toBeGreaterThan(0)
  })
  it('is typed, if it is numbers', () => {
    expect(typedWindow('-600', '1500')).toEqual({ center: -600, width: 1500 })
    for (const [c, w] of [['', '5'], ['x', '5'], ['5', '0'], ['5', '-1'], ['5', 'Infinity']] as const) expect(typedWindow(c, w)).toBeNull()
  })
  it('is known as a preset by its numbers', () => {
    expect(chosenOf({ kind: 'fixed', window: { center: -600, width: 1500 } })).toBe('lung')
    expect(chosenOf({ kind: 'fixed', window: { center: -600, width: 1501 } })).toBe('custom')
    for (const choice of choicesOf(true)) expect(chosenOf(windowingOf(choice))).toBe(choice)
  })
  it('goes through the presets by key, and round; only CT has those in Hounsfield units', () => {
    const through = (ct: boolean, steps: number, from: Windowing = { kind: 'own' }) => Array.from({ length: steps }).reduce<Windowing>((w) => nextChoice(w, ct), from)
    expect(through(false, 1)).toEqual({ kind: 'full' })
    expect(through(false, 2)).toEqual({ kind: 'own' })
    expect(chosenOf(through(true, 2))).toBe('brain')
    expect(through(true, 8)).toEqual({ kind: 'own' })
    expect(through(true, 1, { kind: 'fixed', window: { center: 1, width: 2 } })).toEqual({ kind: 'own' })
  })
  it('is changed by key as by dragging', () => {
    expect(nudged({ center: 40, width: 400 }, 4, 0, ct)).toEqual({ center: 40, width: 720 })
    expect(nudged({ center: 40, width: 400 }, 0, -4, ct)).toEqual({ center: -280, width: 400 })
  })
})

describe('a view', () => {
  const picture = { width: 500, height: 250 }
  const stage = { width: 1000, height: 1000 }
  it('fits', () => {
    expect(fitScale(picture, stage)).toBe(2)
    expect(percent(FITTED, picture, stage)).toBe(200)
    expect(fitScale(picture, { width: 0, height: 0 })).toBe(1)
  })
  it('is zoomed about the point under the pointer', () => {
    const point = { x: 100, y: -50 }
    const view = zoomedAt(FITTED, 2, point)
    // what was 100 right of the picture's middle is still under the pointer
    expect(view).toEqual({ zoom: 2, x: -100, y: 50 })
    expect(zoomedAt(view, 0.5, point)).toEqual(FITTED)
    expect(zoomedAt(FITTED, 1e9).zoom).toBe(40)
    expect(percent(actualSize(FITTED, picture, stage), picture, stage)).toBe(100)
  })
  it('cannot be lost', () => {
    const far = kept({ zoom: 1, x: 5000, y: -5000 }, picture, stage)
    expect(far.x).toBeLessThan(stage.width)
    expect(far.y).toBeGreaterThan(-stage.height)
  })
  it('asks for no more pixels than are seen, nor than there are', () => {
    expect(askedSide({ width: 300, height: 200 }, 1, 1, { width: 4000, height: 3000 })).toBe(512)
    expect(askedSide({ width: 300, height: 200 }, 4, 2, { width: 4000, height: 3000 })).toBe(2560)
    expect(askedSide({ width: 1000, height: 800 }, 1, 1, { width: 512, height: 512 })).toBeNull()
  })
  it('is scrolled through by notches, of a touch pad’s steps as well', () => {
    expect(notches(0, { deltaY: 120, deltaMode: 0 })).toEqual({ steps: 1, rest: 0 })
    expect(notches(80, { deltaY: 25, deltaMode: 0 })).toEqual({ steps: 1, rest: 5 })
    expect(notches(40, { deltaY: -25, deltaMode: 0 })).toEqual({ steps: 0, rest: -25 })
    expect(notches(0, { deltaY: -3, deltaMode: 1 })).toEqual({ steps: -1, rest: 0 })
  })
})

describe('a position', () => {
  const stack: Stack = { objects: 3, framesOf: (index) => [1, 4, 1][index] ?? 1 }
  it('goes through frames, then on to the next object, and back', () => {
    expect(stepped({ index: 0, frame: 1 }, 1, stack)).toEqual({ index: 1, frame: 1 })
    expect(stepped({ index: 0, frame: 1 }, 5, stack)).toEqual({ index: 2, frame: 1 })
    expect(stepped({ index: 2, frame: 1 }, -1, stack)).toEqual({ index: 1, frame: 4 })
  })
  it('ends at both ends', () => {
    expect(stepped(first(), -3, stack)).toEqual(first())
    expect(stepped(first(), 100, stack)).toEqual(last(stack))
    expect(skipped({ index: 2, frame: 1 }, 1, stack)).toEqual({ index: 2, frame: 1 })
    expect(stepped(first(), 1, { objects: 0, framesOf: () => 1 })).toEqual(first())
  })
  it('skips objects', () => expect(skipped({ index: 1, frame: 3 }, 1, stack)).toEqual({ index: 2, frame: 1 }))
  it('comes from the URL, which anybody may have written', () => {
    expect(placed([7, 8, 9], '8', '3')).toEqual({ index: 1, frame: 3 })
    expect(placed([7, 8, 9], '99', '-1')).toEqual(first())
    expect(placed([], undefined, 'x')).toEqual(first())
  })
})

describe('the objects of a series', () => {
  it('come as the sender has numbered them, a page after the other', async () => {
    const pages = [
      [...Array.from({ length: 999 }, (_, i) => ({ id: 5000 - i, instance_number: i + 1 })), { id: 7, instance_number: null }],
      [{ id: 9, instance_number: null }],
    ]
    const fetched = vi.fn<(input: URL | string) => Promise<Response>>(() => Promise.resolve(new Response(JSON.stringify(pages.shift()), { status: 200 })))
    vi.stubGlobal('fetch', fetched)
    const ids = await objectsOf(4)
    expect([ids.length, ids[0], ids[999], ids[1000]]).toEqual([1001, 5000, 7, 9])
    const asked = fetched.mock.calls.map(([input]) => decodeURIComponent(String(input)))
    expect(asked[0]).toContain('order=instance_number.asc.nullslast,id.asc.nullslast')
    expect(asked[1]).toContain('or=(and(instance_number.is.null,id.gt.7))')
  })
})

describe('the picture that is wanted', () => {
  const answers: Record<string, (response: Response) => void> = {}
  function server() {
    const fake = vi.fn<(input: URL | string) => Promise<Response>>((input) => new Promise((resolve) => { answers[String(input)] = resolve }))
    vi.stubGlobal('fetch', fake)
    let n = 0
    vi.spyOn(URL, 'createObjectURL').mockImplementation(() => `blob:${++n}`)
    vi.spyOn(URL, 'revokeObjectURL').mockImplementation(() => {})
    return fake
  }
  const scope = effectScope()
  const pictureOf = (wanted: () => string | null, ahead: () => string[] = () => []) => scope.run(() => usePicture(wanted, ahead)) as Picture
  afterEach(() => vi.unstubAllGlobals())

  it('is the last one, while the first is on its way; those between are not asked for', async () => {
    const fake = server()
    const wanted = ref('/a')
    const picture = pictureOf(() => wanted.value)
    wanted.value = '/b'
    await flushPromises()
    wanted.value = '/c'
    await flushPromises()
    answers['/a']?.(new Response('a'))
    await flushPromises()
    expect(fake.mock.calls.map(([url]) => String(url))).toEqual(['/a', '/c'])
    expect(picture.loading.value).toBe(true)
    answers['/c']?.(new Response('c'))
    await flushPromises()
    expect(picture.shown.value?.address).toBe('/c')
    expect(picture.loading.value).toBe(false)
  })
  it('is kept, and its neighbours are fetched meanwhile', async () => {
    const fake = server()
    const wanted = ref('/a')
    const picture = pictureOf(() => wanted.value, () => ['/next'])
    answers['/a']?.(new Response('a'))
    await flushPromises()
    answers['/next']?.(new Response('n'))
    await flushPromises()
    wanted.value = '/next'
    await flushPromises()
    expect(picture.shown.value?.address).toBe('/next')
    expect(fake).toHaveBeenCalledTimes(2)
  })
  it('is an error, in the server’s words, and can be tried again', async () => {
    const fake = server()
    const picture = pictureOf(() => '/a')
    answers['/a']?.(new Response(JSON.stringify({ code: 'PT422', message: 'the object has no image' }), { status: 422 }))
    await flushPromises()
    expect(picture.error.value?.message).toBe('the object has no image')
    expect(fake).toHaveBeenCalledTimes(1)
    picture.retry()
    answers['/a']?.(new Response('a'))
    await flushPromises()
    expect(picture.error.value).toBeNull()
    expect(picture.shown.value?.address).toBe('/a')
  })
})
