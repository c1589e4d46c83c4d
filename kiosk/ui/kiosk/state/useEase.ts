/** What makes the page easier for somebody: large type, high contrast, controls within reach, words read aloud. */
import type { Hall } from '@jiaohao/lib'
import { computed, ref, watchEffect, type Ref } from 'vue'
import { useVoice } from './useVoice'

export function useEase(hall: Readonly<Ref<Hall | null>>) {
  const large = ref(false)
  const contrast = ref(false)
  /** Everything to touch stands in the lower half, for somebody who sits or is small. */
  const low = ref(false)
  const voice = useVoice(hall)

  watchEffect(() => {
    const classes = document.documentElement.classList
    classes.toggle('large', large.value)
    classes.toggle('contrast', contrast.value)
    classes.toggle('low', low.value)
  })

  return {
    large,
    contrast,
    low,
    voice,
    isUsed: computed(() => large.value || contrast.value || low.value || voice.on.value),
    /** As the next visitor should find it. */
    forget(): void {
      large.value = contrast.value = low.value = voice.on.value = false
    },
  }
}
